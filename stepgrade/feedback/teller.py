"""The sentences: where a run leaves the path, how its step compares with torch's, what to look at first.

Knows English and the order in which it is read: the gap first, its name second, then a picture. Refuses to know what a
run is worth and how a mistake is recognised.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from stepgrade.exercise import Exercise, Inputs
from stepgrade.feedback.blocks import Block, Code, Headline, Para, Table
from stepgrade.feedback.drawn import draw_run
from stepgrade.feedback.finding import Finding, is_rate_too_large
from stepgrade.feedback.naming import list_checks, name_mistake
from stepgrade.feedback.words import (
    aligned,
    as_sentence,
    counted,
    equation,
    input_words,
    is_blank,
    known_error,
    listed,
    power,
    score_of,
    sentence,
    show,
    title_of,
)
from stepgrade.quoting import clean
from stepgrade.records import ExerciseResult, Gap, Run

ROWS_AROUND = 2  # of the table, before and after the gap
OUT_OF_BOUNDS = 1e6  # times the largest reference value: a run that has blown up


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
        """The trouble shows on hidden inputs alone, and their numbers are kept back: only sentences of ours are said."""
        return not self.show_hidden_numbers and self.finding is not None and not self.finding.is_lesson

    @property
    def is_blank(self) -> bool:
        return is_blank(self.result.diagnosis.names)

    @property
    def tolerance(self) -> str:
        return f"rtol {power(self.exercise.rtol)}, atol {power(self.exercise.atol)}"

    def mood_and_words(self) -> tuple[str, str]:
        f = self.finding
        if is_right(self.result):
            return "right", "Right: every step lies on torch's own path."
        if f is None and any(check.verdict == "failed" for check in self.result.checks):
            return "rule", "Every number lies on torch's own path; one more thing was asked for."
        if f is None:
            return "rule", "Every number lies on torch's own path; not everything could be judged."
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
        if f.missed is None:
            return "off", f"x walks torch's own path; your list leaves it at step {f.gap.step}{where}."
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
        return "On the lesson's own inputs a list of numbers comes back, one entry per pass; on others something else does."

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
        """How the step that leads off the path compares with torch's, as far as x could be seen."""
        if f.missed is None:
            wrong = "what came back" if f.gap is None else "the record of it"
            yield f"The points at which you called f are torch's own: the walk is right, {wrong} is not."
            return
        if not f.parted:
            return
        old, right, x = f.path[f.parted - 1], f.path[f.parted], f.walk[f.parted]
        how = describe_step(old, right, x, with_numbers=not self.is_secret)
        late = ""
        if f.gap is None or f.parted != f.gap.step:
            late = f"The walk itself leaves the path at step {f.parted}. "
        if how and self.is_secret:
            yield f"{late}Seen from the point before, {how}."
        elif how:
            goes = f"torch goes to {equation('x', show(right))}, you to {equation('x', show(x))}"
            yield f"{late}Seen from {equation('x', show(old))}, {how} ({goes})."

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
        calls = counted(error.num_calls, "time", "times")
        when = (
            f"in pass {error.num_calls - 1} (f had been called {calls})"
            if error.num_calls > 0
            else "before f was called"
        )
        yield Code(f"{clean(error.type, 80)}: {clean(error.message) or '(no message)'}")
        if not error.text:
            yield Para(f"It happened {when}.")
            return
        yield Para(f"It happened {when}, on {f'line {error.line} of your cell' if error.line else 'this line'}:")
        yield Code(clean(error.text, 160))

    def stop(self, f: Finding) -> str:
        """Why no list came back, in the words of those who know, else in ours."""
        message = self.why_stopped(f)
        match f.run.status:
            case "missing":
                said = re.sub(r"^There is no function \w+\.\s*", "", message)  # the headline's own words
                return said or "Did you rename it, or did its cell fail to run?"
            case "timed_out":
                ask = "Is there a loop whose end never comes? `iterations` says how many passes are asked for."
                return f"{as_sentence(message) or 'It was stopped at the time limit.'} {ask}"
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
        """What is unlike the lesson in the hidden inputs, without a number."""
        start, values = f.inputs.get("x0"), [row[0] for row in f.reference]
        found = []
        if isinstance(start, int | float):
            found += ["a start left of zero"] if start < 0 else []
            found += ["a start that is not a whole number"] if start != int(start) else []
        if is_rate_too_large(self.exercise, f.inputs):
            found.append("a rate so large that a step goes uphill")
        if min(values) < 0:
            found.append("an objective that goes below zero")
        if f.inputs.get("f") != self.exercise.lesson.get("f"):
            found.append("another objective")
        changed = [n for n, v in f.inputs.items() if n not in ("f", "x0") and v != self.exercise.lesson.get(n)]
        found += [f"another `{name}`" for name in changed]
        return found[:4] or ["other inputs"]

    def table(self, f: Finding, gap: Gap) -> Table:
        num = max(len(f.rows), len(f.reference))
        first = max(0, min(gap.step - ROWS_AROUND, num - 2 * ROWS_AROUND - 1))
        steps = range(first, min(first + 2 * ROWS_AROUND + 1, num))
        columns: list[list[str]] = []
        for c in range(len(self.exercise.columns)):
            columns += aligned(
                *([rows[t][c] if t < len(rows) else None for t in steps] for rows in (f.rows, f.reference))
            )
        return Table(self.exercise.columns, tuple(steps), tuple(zip(*columns, strict=True)), gap.step, f.column)

    def what_was_asked(self, f: Finding) -> str:
        named = ", ".join(input_words(name, value) for name, value in f.inputs.items())
        if f.is_lesson:
            return f"These are the lesson's own inputs: {named}."
        return f"On the lesson's own inputs all agrees; these are others: {named}."

    def what_was_compared(self) -> str:
        num_steps = sum(len(self.exercise.expected(inputs).visited) for inputs, _ in self.runs)
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
        if f.missed is None:
            return "Print what you append next to x, pass by pass. Do both belong to the same pass?"
        if f.column > 0:
            return f"{self.exercise.columns[0]} agrees there: print {self.exercise.columns[f.column]} on every pass."
        if f.gap.step == 0:
            return "Compare your first entry with f(x0): what has happened before it is recorded?"
        if f.gap.step == 1:
            return "Work out the first update on paper, then print x and its gradient just before and after yours."
        return (
            f"The first {counted(f.gap.step - 1, 'update is', 'updates are')} right, the next is not: print x and its "
            "gradient at the top of each pass. What is carried over from one pass to the next?"
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


def describe_step(old: float, right: float, x: float, with_numbers: bool = True) -> str:
    """A step compared with torch's from the same point: an observation, never a cause.

    Example:
        >>> describe_step(8.0, 6.4, 9.6)
        "your step is as long as torch's and goes the other way"
        >>> describe_step(8.0, 6.4, 4.8)
        "your step is 2 times as long as torch's"
    """
    wanted, done = right - old, x - old
    if not math.isfinite(done) or wanted == 0:
        return ""
    ratio = abs(done / wanted)
    if ratio < 1e-3:
        return "you stay where you are"
    if abs(ratio - 1) < 2e-3:
        length = "as long as torch's"
    elif with_numbers:
        length = f"{ratio:.3g} times as long as torch's"
    else:
        length = "longer than torch's" if ratio > 1 else "shorter than torch's"
    return f"your step is {length}{' and goes the other way' if done / wanted < 0 else ''}"
