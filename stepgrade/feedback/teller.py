"""The sentences: where a run leaves the path, how its step compares with torch's, what to look at first.

Knows English and the order in which it is read: the gap first, its name second, then a picture. Refuses to know what a
run is worth and how a mistake is recognised.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from stepgrade.exercise import Exercise, Inputs, Objective
from stepgrade.feedback.blocks import Block, Code, Headline, Para, Table
from stepgrade.feedback.drawn import draw_run
from stepgrade.feedback.finding import Finding, reference_of
from stepgrade.feedback.heights import Heights, variable_words
from stepgrade.feedback.naming import list_checks, name_mistake
from stepgrade.feedback.words import (
    aligned,
    as_sentence,
    counted,
    equation,
    first_few,
    input_words,
    is_blank,
    known_error,
    listed,
    point_words,
    power,
    score_of,
    sentence,
    show,
    title_of,
)
from stepgrade.quoting import clean
from stepgrade.records import ExerciseResult, Gap, Point, Run
from stepgrade.scene import choose_columns

ROWS_AROUND = 2  # of the table, before and after the gap
OUT_OF_BOUNDS = 1e6  # times the largest reference value: a run that has blown up
ALONG = math.cos(math.radians(1))  # steps whose directions differ by less go the same way
ANOTHER_OBJECTIVE = "another objective"
MOST_TRAITS = 4  # of hidden inputs that are told
MOST_COLUMNS = 4  # of the table


def is_right(result: ExerciseResult) -> bool:
    """Whether nothing is left to be said against it."""
    return result.outcome == "passed" and all(c.passed for c in result.checks)


@dataclass(frozen=True, slots=True)
class Teller:
    """Puts one exercise into blocks, in the order in which they are read."""

    exercise: Exercise
    result: ExerciseResult
    runs: tuple[tuple[Inputs, Run], ...]
    finding: Finding | None
    show_hidden_numbers: bool

    def blocks(self) -> Iterator[Block]:
        """Headline, gap, table, name, checks, picture."""
        f = self.finding
        yield Headline(*self.mood_and_words(), title_of(self.result), score_of(self.result))
        if f is None:
            yield from self.broken_rules()
            yield Para(self.what_was_compared())
        elif self.is_blank:
            yield Para("Write what happens in one pass, run the check below it, and look at the table it prints.")
        else:
            yield from self.trouble(f)
        yield from self.name()
        yield list_checks(self.result)
        yield from self.pictures()

    def name(self) -> Iterator[Block]:
        f, diagnosis = self.finding, self.result.diagnosis
        was_called = f is None or f.run.status in ("returned", "raised")
        if is_right(self.result) or not (was_called or diagnosis.names):
            return
        does = "gives exactly these numbers" if f is None or f.gap else "does exactly this"
        yield from name_mistake(diagnosis, self.where_to_look(), self.foreign, does)
        if f is not None and was_called:  # of other inputs than those that are spoken of
            yield Para(self.foreign(self.result.message), is_quiet=True)

    def foreign(self, text: str) -> str:
        """A sentence that was put together elsewhere; left out where hidden inputs must not be told.

        It may hold what the student's process said, and that process has seen the hidden inputs: a text, a name or a
        status can spell them in letters.
        """
        return clean(text) if self.show_hidden_numbers else ""

    @property
    def is_secret(self) -> bool:
        """The trouble shows on hidden inputs alone, whose numbers are kept back: only sentences of ours are said."""
        return not self.show_hidden_numbers and self.finding is not None and not self.finding.is_lesson

    @property
    def is_blank(self) -> bool:
        return is_blank(self.result.diagnosis.names)

    @property
    def tolerance(self) -> str:
        return f"rtol {power(self.exercise.rtol)}, atol {power(self.exercise.atol)}"

    @property
    def has_walk(self) -> bool:
        """Whether calls of an objective show a walk; else the record alone is judged, and spoken of."""
        return self.exercise.objective is not None

    def mood_and_words(self) -> tuple[str, str]:
        f = self.finding
        agrees = "lies on torch's own path" if self.has_walk else "agrees with torch's own run"
        if is_right(self.result):
            return "right", f"Right: every {'step' if self.has_walk else 'number'} {agrees}."
        if f is None and any(check.verdict == "failed" for check in self.result.checks):
            return "rule", f"Every number {agrees}; one more thing was asked for."
        if f is None:
            return "rule", f"Every number {agrees}; not everything could be judged."
        if self.is_blank:
            return "open", "This one is still waiting for you: the blank has not been filled in."
        where = "" if f.is_lesson else ", on other inputs than the lesson's"
        match f.run.status:
            case "missing":
                return "off", f"There is no function `{self.exercise.function}` to call."
            case "raised":
                return "off", f"Your function stopped with an error{where}."
            case "timed_out":
                return "off", f"Your function did not come to an end{where}."
            case "died":
                return "off", f"Python itself ended while your function ran{where}."
        if f.gap is None:
            return "off", f"What came back could not be read as numbers{where}."
        if f.gap.yours is None:
            return "off", f"Your list ends too early, before step {f.gap.step}{where}."
        if f.gap.reference is None:
            return "off", f"Your list goes on for too long{where}."
        if f.objective is None:
            return "off", f"Your list leaves torch's at step {f.gap.step}{where}."
        if f.walks_right:
            name = variable_words(f.objective)
            return "off", f"{name} walks torch's own path; your list leaves it at step {f.gap.step}{where}."
        return "off", f"Your run leaves torch's path at step {f.gap.step}{where}."

    def trouble(self, f: Finding) -> Iterator[Block]:
        if f.run.status == "raised" and f.run.error is not None:
            yield from self.error(f)
        elif f.run.status != "returned":
            yield Para(self.stop(f))
        elif f.gap is None:
            yield Para(self.secret_complaint() if self.is_secret else sentence(clean(f.complaint)))
            yield from map(Para, self.compare_steps(f))
        elif self.is_secret:
            yield Para(" ".join(self.secret_gap(f, f.gap)))
        else:
            yield Para(" ".join(self.open_gap(f, f.gap)))
            yield self.table(f, f.gap)
        if self.is_secret:
            yield Para(f"Those inputs stay hidden. To see it for yourself, try {listed(self.traits(f), 'and')}.")
        elif f.run.status != "missing":
            yield Para(self.what_was_asked(f), is_quiet=True)

    def open_gap(self, f: Finding, gap: Gap) -> Iterator[str]:
        name = self.exercise.columns[f.column]
        if gap.yours is None:
            yield f"Your list has {counted(len(f.rows), 'entry', 'entries')}, torch's has {len(f.reference)}."
            yield f"Up to there all agrees. At step {gap.step} torch has {equation(name, show(gap.reference))}."
        elif gap.reference is None:
            yield f"All {len(f.reference)} steps agree, and then your list goes on:"
            yield f"it has {len(f.rows)} entries; one per pass makes {len(f.reference)}."
        elif math.isfinite(gap.yours):
            allowed = self.exercise.atol + self.exercise.rtol * abs(gap.reference)
            yield f"At step {gap.step} your {name} is {show(gap.yours)}, torch's is {show(gap.reference)}:"
            off = show(abs(gap.yours - gap.reference))
            yield f"off by {off}, where {power(allowed)} is tolerated ({self.tolerance})."
        else:
            yield f"At step {gap.step} your {name} is {show(gap.yours)}, which is no finite number;"
            yield f"torch's is {show(gap.reference)} ({self.tolerance})."
        yield from self.compare_steps(f)
        yield from self.blow_up(f)

    def secret_complaint(self) -> str:
        lesson = "On the lesson's own inputs a list of numbers comes back, one entry per pass"
        return f"{lesson}; on others something else does."

    def secret_gap(self, f: Finding, gap: Gap) -> Iterator[str]:
        """The gap without a number of the inputs it shows on: the step, and how the walk compares."""
        passes = counted(len(f.reference), "pass", "passes")
        yield "On the lesson's own inputs every number of yours agrees with torch's."
        if gap.yours is None:
            yield f"On others your list is too short: it ends before step {gap.step} (of {passes})."
        elif gap.reference is None:
            yield f"On others your list goes on after all {passes}."
        else:
            yield f"On others your {self.exercise.columns[f.column]} leaves torch's at step {gap.step} (of {passes})."
        yield from self.compare_steps(f)
        yield from self.blow_up(f)

    def compare_steps(self, f: Finding) -> Iterator[str]:
        """How the step that leads off the path compares with torch's, as far as the walk could be seen."""
        if f.objective is None:
            return
        if f.walks_right:
            wrong = "what came back" if f.gap is None else "the record of it"
            name = self.exercise.objective
            yield f"The points at which you called {name} are torch's own: the walk is right, {wrong} is not."
            return
        if not f.parted:
            return
        old, right, yours = f.path[f.parted - 1], f.path[f.parted], f.walk[f.parted]
        how = describe_step(old, right, yours, with_numbers=not self.is_secret)
        late = ""
        if f.gap is None or f.parted != f.gap.step:
            late = f"The walk itself leaves the path at step {f.parted}. "
        if how and self.is_secret:
            yield f"{late}Seen from the point before, {how}."
        elif how:
            here, there, off = (point_words(f.objective, point) for point in (old, right, yours))
            yield f"{late}Seen from {here}, {how} (torch goes to {there}, you to {off})."

    def blow_up(self, f: Finding) -> Iterator[str]:
        """Where a run leaves every scale; said in words, for the picture has to cut it."""
        bound = OUT_OF_BOUNDS * max(1.0, *(abs(v) for row in f.reference for v in row))
        wild = ((t, v) for t, row in enumerate(f.rows) for v in row if not abs(v) <= bound)
        step, value = next(wild, (None, 0.0))
        if step is None or f.gap is None or step == f.gap.step:
            return
        shown = "" if self.is_secret else f" from step {step} on, beginning with {show(value)}"
        yield f"Later your values grow out of all bounds{shown}."

    def error(self, f: Finding) -> Iterator[Block]:
        error = f.run.error
        assert error is not None
        if self.is_secret:  # the words of an error are the student's to choose, and so is the number of calls
            yield Para(f"On the lesson's own inputs it runs; on others it stops with {known_error(error.type)}.")
            return
        yield Code(f"{clean(error.type, 80)}: {clean(error.message) or '(no message)'}")
        when = self.when_it_happened(f, error.num_calls)
        where = f"on line {error.line} of your cell" if error.line else "on this line"
        if error.text:
            yield Para(f"It happened {', '.join(filter(None, (when, where)))}:")
            yield Code(clean(error.text, 160))
        elif when:
            yield Para(f"It happened {when}.")

    def when_it_happened(self, f: Finding, num_calls: int) -> str:
        """The pass, where calls of the objective tell it: where torch's own run makes one in each."""
        if f.objective is None:
            return ""
        called = f"{self.exercise.objective} had been called {counted(num_calls, 'time', 'times')}"
        if num_calls < 1:
            return f"before {self.exercise.objective} was called"
        return f"in pass {num_calls - 1} ({called})" if len(f.path) <= len(f.reference) + 1 else f"after {called}"

    def stop(self, f: Finding) -> str:
        """Why no list came back, in the words of those who know, else in ours."""
        message = self.why_stopped(f)
        match f.run.status:
            case "missing":
                said = re.sub(r"^There is no function \w+\.\s*", "", message)  # the headline's own words
                return said or "Did you rename it, or did its cell fail to run?"
            case "timed_out":
                passes = self.exercise.passes
                ask = f" `{passes}` says how many passes are asked for." if passes is not None else ""
                stopped = as_sentence(message) or "It was stopped at the time limit."
                return f"{stopped} Is there a loop whose end never comes?{ask}"
            case _:
                return as_sentence(message) or "Nothing more could be asked. Does it call exit, or fill the memory?"

    def why_stopped(self, f: Finding) -> str:
        """What was said of the stop; where hidden inputs must not be told, of the lesson's own run alone."""
        if self.show_hidden_numbers:
            return clean(self.result.message) or clean(f.run.message)
        if self.is_secret:
            return ""
        is_of_the_cell = all(run.status == "missing" for _, run in self.runs)
        return clean(self.result.message) if is_of_the_cell else clean(f.run.message)

    def traits(self, f: Finding) -> list[str]:
        """What is unlike the lesson in the hidden inputs, without a number; what says most comes first."""
        lesson = self.exercise.lesson
        changed = [(name, value, lesson.get(name)) for name, value in f.inputs.items() if value != lesson.get(name)]
        found = [trait_of(name, value, known) for name, value, known in changed]
        if f.objective is not None and goes_below_zero(f.objective, f.path):
            found = ["an objective that goes below zero", *(words for words in found if words != ANOTHER_OBJECTIVE)]
        return sorted(dict.fromkeys(found), key=lambda words: words.startswith("another"))[:MOST_TRAITS] or ["others"]

    def table(self, f: Finding, gap: Gap) -> Table:
        """The rows around the gap, of the first columns and the one that differs."""
        num = max(len(f.rows), len(f.reference))
        first = max(0, min(gap.step - ROWS_AROUND, num - 2 * ROWS_AROUND - 1))
        steps = range(first, min(first + 2 * ROWS_AROUND + 1, num))
        names = self.exercise.columns
        shown = choose_columns(len(names), f.column, MOST_COLUMNS)
        columns: list[list[str]] = []
        for c in shown:
            columns += aligned(
                *([rows[t][c] if t < len(rows) else None for t in steps] for rows in (f.rows, f.reference))
            )
        return Table(
            columns=tuple(names[c] for c in shown),
            steps=tuple(steps),
            rows=tuple(zip(*columns, strict=True)),
            marked=gap.step,
            column=shown.index(f.column),
            first="the start" if self.has_walk else "the first entry",
            left_out=tuple(name for c, name in enumerate(names) if c not in shown),
        )

    def what_was_asked(self, f: Finding) -> str:
        named = ", ".join(input_words(name, value) for name, value in f.inputs.items())
        if f.is_lesson:
            return f"These are the lesson's own inputs: {named}."
        return f"On the lesson's own inputs all agrees; these are others: {named}."

    def what_was_compared(self) -> str:
        num_steps = sum(len(reference_of(self.exercise, inputs)) for inputs, _ in self.runs)
        hidden = sum(inputs != self.exercise.lesson for inputs, _ in self.runs)
        return (
            f"Compared with torch's own run: {counted(len(self.runs), 'run', 'runs')} (the lesson's inputs and "
            f"{counted(hidden, 'other', 'others')}), {counted(num_steps, 'step', 'steps')}, "
            f"every number within the tolerance ({self.tolerance})."
        )

    def broken_rules(self) -> Iterator[Block]:
        """Of checks that ask for more than numbers; the list of checks says which, where no more may be said."""
        broken = (c for c in self.result.checks if c.message and c.verdict == "failed")
        yield from (Para(self.foreign(c.message)) for c in broken)

    def where_to_look(self) -> str:
        """For trouble that no known mistake explains: where to put the first print."""
        f = self.finding
        if f is None or self.is_blank or f.run.status not in ("raised", "returned"):
            return ""
        if f.run.status == "raised":
            return "Read the error's last line, then print value and type of everything on the line it names."
        if f.gap is None:
            return "Call your function, print what comes back, and print its type."
        if f.gap.yours is None or f.gap.reference is None:
            return "How often does your loop run, and how often does it append?"
        return self.where_to_look_on_a_walk(f, f.objective, f.gap) if f.objective is not None else look_at_record(f.gap)

    def where_to_look_on_a_walk(self, f: Finding, objective: Objective, gap: Gap) -> str:
        names, columns = listed(objective.names, "and"), self.exercise.columns
        if f.walks_right:
            return f"Print what you append next to {names}, pass by pass. Do both belong to the same pass?"
        if f.column > 0:
            agree = "agrees" if f.column == 1 else "agree"
            return f"{listed(columns[: f.column], 'and')} {agree} there: print {columns[f.column]} on every pass."
        if gap.step == 0:
            return "Work out the first entry on paper: what has happened before yours is recorded?"
        its = "its gradient" if len(objective.names) == 1 else "their gradients"
        if gap.step == 1:
            return f"Work out the first update on paper, then print {names} and {its} just before and after yours."
        return (
            f"{first_few(gap.step - 1, 'update is', 'updates are')} right, the next is not: print {names} and "
            f"{its} at the top of each pass. What is carried over from one pass to the next?"
        )

    def pictures(self) -> Iterator[Block]:
        """Of the inputs that are spoken of; of the lesson's where nothing is wrong or nothing may be shown."""
        f = self.finding
        if f is not None and f.run.status == "missing":
            return
        if f is not None and not self.is_secret:
            yield from draw_run(self.exercise, f.inputs, f.run, f, is_secret=False)
            return
        for inputs, run in self.runs:
            if inputs == self.exercise.lesson:
                yield from draw_run(self.exercise, inputs, run, None, self.is_secret)
                return


def look_at_record(gap: Gap) -> str:
    """Where to look first where nothing but the record is known."""
    if gap.step == 0:
        return "Work out the first entry on paper: what has happened before yours is recorded?"
    return (
        f"{first_few(gap.step, 'entry is', 'entries are')} right, the next is not: print what it is made of, just "
        "before you append it. What changes there from one pass to the next?"
    )


def trait_of(name: str, value: object, lesson: object) -> str:
    """What is unlike the lesson in one input, without a number."""
    if isinstance(value, Objective):
        return ANOTHER_OBJECTIVE
    if isinstance(value, list | tuple) and isinstance(lesson, list | tuple) and len(value) != len(lesson):
        return f"a {'longer' if len(value) > len(lesson) else 'shorter'} list for `{name}`"
    if not _is_number(value) or not _is_number(lesson):
        return f"another `{name}`"
    if value == 0:
        return f"zero for `{name}`"
    is_newly_negative = value < 0 <= lesson
    if value != int(value) and lesson == int(lesson):
        return f"a {'negative ' if is_newly_negative else ''}value of `{name}` that is not whole"
    return f"a negative `{name}`" if is_newly_negative else f"another `{name}`"


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def goes_below_zero(objective: Objective, path: Sequence[Point]) -> bool:
    """Whether an objective has negative values on a path."""
    return any(height < 0 for height in Heights(objective)(tuple(path)))


def describe_step(old: Point, right: Point, yours: Point, with_numbers: bool = True) -> str:
    """A step compared with torch's from the same point, by length and direction: an observation, never a cause.

    Example:
        >>> describe_step((8.0,), (6.4,), (9.6,))
        "your step is as long as torch's and goes the other way"
        >>> describe_step((8.0,), (6.4,), (4.8,))
        "your step is 2 times as long as torch's"
        >>> describe_step((8.0, 0.0), (6.4, 0.0), (8.0, 1.6))
        "your step is as long as torch's and has another direction"
    """
    if not len(old) == len(right) == len(yours):
        return ""
    wanted = [b - a for a, b in zip(old, right, strict=True)]
    done = [b - a for a, b in zip(old, yours, strict=True)]
    far, its_far = math.hypot(*done), math.hypot(*wanted)
    if not math.isfinite(far) or its_far == 0:
        return ""
    ratio = far / its_far
    if ratio < 1e-3:
        return "you stay where you are"
    along = sum((a / its_far) * (b / far) for a, b in zip(wanted, done, strict=True))
    is_another_way = abs(along) < ALONG
    if abs(ratio - 1) < 2e-3:
        length = "as long as torch's"
    elif with_numbers:
        length = f"{ratio:.3g} times as long as torch's"
    elif is_another_way:
        return "your step has another direction"
    else:
        length = "longer than torch's" if ratio > 1 else "shorter than torch's"
    way = " and has another direction" if is_another_way else " and goes the other way" if along < 0 else ""
    return f"your step is {length}{way}"
