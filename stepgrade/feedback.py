"""Says to a student where their run leaves the path: the gap first, its name second, then a picture.

Knows sentences, tables and pages: one list of blocks is written down once as HTML and once as plain text, so both say
the same. Refuses to know how a run came about, what it is worth and how a mistake is recognised; never has the text of
a check, a reference or a mistake in its hands. All that comes from a student is cleaned, cut and escaped here.

In order: what there is to say (`Finding`), the sentences (`_Teller`), words and numbers, blocks, HTML, plain text.
"""

from __future__ import annotations

import base64
import builtins
import functools
import html
import itertools
import math
import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from stepgrade import compare, picture
from stepgrade.compare import Rows
from stepgrade.exercise import Exercise, Inputs, Objective, load_program, run_program
from stepgrade.picture import Picture, Series
from stepgrade.records import Call, Check, Diagnosis, ExerciseResult, Gap, Run

TEXT_WIDTH = 88  # columns of the plain-text twin
ROWS_AROUND = 2  # of the table, before and after the gap
MAX_QUOTE = 300  # characters of anything that a student's process wrote
OUT_OF_BOUNDS = 1e6  # times the largest reference value: a run that has blown up
LEFT_BLANK = "left-blank"  # the one mistake that is spoken of differently


@dataclass(frozen=True, slots=True)
class Feedback:
    """What the student sees of one exercise: a self-contained piece of HTML, and the same as plain text."""

    html: str
    text: str


def explain(
    exercise: Exercise,
    result: ExerciseResult,
    runs: Sequence[tuple[Inputs, Run]],
    *,
    show_hidden_numbers: bool = True,
) -> Feedback:
    """Tell a student how their run compares with torch's own.

    Args:
        exercise: what was asked.
        result: the verdict; it decides what is right, never the numbers seen here.
        runs: each of the exercise's inputs with what the student's function gave.
        show_hidden_numbers: False keeps objective, start, rate and values of hidden inputs out of words and pictures.
    """
    if result.outcome == "errored" or not runs:
        return explain_trouble(result)
    finding = None if _is_right(result) else find_trouble(exercise, runs)
    return _write(_Teller(exercise, result, tuple(runs), finding, show_hidden_numbers).blocks())


def explain_trouble(result: ExerciseResult) -> Feedback:
    """Tell a student why there was nothing to compare: no function, an unreadable notebook, a failure of ours."""
    return _write(_trouble(result))


# -- what there is to say ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """The first thing that is wrong in one run."""

    inputs: Inputs
    is_lesson: bool
    run: Run
    path: tuple[float, ...]  # torch's iterates, shape (num_passes,)
    reference: Rows
    rows: Rows  # empty where nothing could be read
    complaint: str  # why nothing could be read
    gap: Gap | None  # in what was recorded
    column: int  # of the gap
    missed: int | None  # first x_t of torch's path to which the student's walk never came
    parted: int | None  # the pass, and the call of f, at which the walk is off the path


def find_trouble(exercise: Exercise, runs: Sequence[tuple[Inputs, Run]]) -> Finding | None:
    """What to show of several runs: the lesson's own inputs where it shows there, else the first hidden one.

    Returns:
        None where every recorded number agrees.
    """
    findings = [_look_at(exercise, inputs, run) for inputs, run in runs]
    return min((f for f in findings if f is not None), key=lambda f: not f.is_lesson, default=None)


def _look_at(exercise: Exercise, inputs: Inputs, run: Run) -> Finding | None:
    reference = _reference(exercise, inputs)
    path = exercise.expected(inputs).visited
    rows, complaint = _read(run, len(exercise.columns))
    is_read = run.status == "returned" and not complaint
    gap = compare.first_gap(rows, reference, exercise.rtol, exercise.atol) if is_read else None
    if run.status == "returned" and gap is None and not complaint:
        return None
    missed = compare.first_missed_point(run.visited, path, exercise.rtol)
    return Finding(
        inputs=inputs,
        is_lesson=inputs == exercise.lesson,
        run=run,
        path=path,
        reference=reference,
        rows=rows,
        complaint=complaint,
        gap=gap,
        column=_column(exercise, rows, reference, gap),
        missed=missed,
        parted=None if missed is None else _parted(run.visited, path, exercise.rtol),
    )


def _reference(exercise: Exercise, inputs: Inputs) -> Rows:
    rows = compare.to_rows(exercise.expected(inputs).returned, len(exercise.columns))
    assert not isinstance(rows, str), f"the reference run itself returns no rows: {rows}"
    return rows


def _read(run: Run, num_columns: int) -> tuple[Rows, str]:
    if run.status != "returned":
        return [], ""
    try:
        rows = compare.to_rows(run.returned, num_columns)
    except (OverflowError, RecursionError):  # JSON can say what no float and no stack holds
        return [], "what came back holds something that cannot be read as a number."
    return ([], rows) if isinstance(rows, str) else (rows, "")


def _column(exercise: Exercise, rows: Rows, reference: Rows, gap: Gap | None) -> int:
    if gap is None or gap.step >= min(len(rows), len(reference)):
        return 0
    pairs = zip(rows[gap.step], reference[gap.step], strict=True)
    return [compare.is_close(a, b, exercise.rtol, exercise.atol) for a, b in pairs].index(False)


def _parted(visited: Sequence[float], path: Sequence[float], rtol: float) -> int | None:
    """The first call of f that is off the path, where there is one call per pass; too short a walk is not off."""
    if len(visited) > len(path) + 1:
        return None
    pairs = enumerate(zip(visited, path, strict=False))
    return next((t for t, (x, wanted) in pairs if not compare.is_close(x, wanted, rtol, 10 * compare.ATOL)), None)


def _is_right(result: ExerciseResult) -> bool:
    return result.outcome == "passed" and all(c.passed for c in result.checks)


# -- the sentences -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Teller:
    """Puts one exercise into blocks, in the order in which they are read."""

    exercise: Exercise
    result: ExerciseResult
    runs: tuple[tuple[Inputs, Run], ...]
    finding: Finding | None
    show_hidden_numbers: bool

    def blocks(self) -> Iterator[_Block]:
        """Headline, gap, table, name, checks, picture."""
        f = self.finding
        yield _Headline(*self.mood_and_words(), _title(self.result), _score(self.result))
        if f is None:
            yield from self.broken_rules()
            yield _Para(self.what_was_compared())
        elif self.is_blank:
            yield _Para("Write what happens in one pass, run the check below it, and look at the table it prints.")
        else:
            yield from self.trouble(f)
        yield from self.name()
        yield _checks(self.result)
        yield from self.pictures()

    def name(self) -> Iterator[_Block]:
        f, diagnosis = self.finding, self.result.diagnosis
        was_called = f is None or f.run.status in ("returned", "raised")
        if _is_right(self.result) or not (was_called or diagnosis.names):
            return
        does = "gives exactly these numbers" if f is None or f.gap else "does exactly this"
        yield from _name(diagnosis, self.where_to_look(), self.foreign, does)
        if f is not None and was_called:  # of other inputs than those that are spoken of
            yield _Para(self.foreign(self.result.message), is_quiet=True)

    def foreign(self, text: str) -> str:
        """A sentence that was put together elsewhere, perhaps of hidden numbers."""
        return clean(text) if self.show_hidden_numbers else _without_numbers(clean(text))

    @property
    def is_secret(self) -> bool:
        """The trouble shows on hidden inputs alone, and their numbers are kept back."""
        return not self.show_hidden_numbers and self.finding is not None and not self.finding.is_lesson

    @property
    def is_blank(self) -> bool:
        error = self.finding.run.error if self.finding is not None else None
        names = self.result.diagnosis.names
        return _is_blank(names) or (not names and error is not None and error.type == "NotImplementedError")

    @property
    def tolerance(self) -> str:
        return f"rtol {_power(self.exercise.rtol)}, atol {_power(self.exercise.atol)}"

    def mood_and_words(self) -> tuple[str, str]:
        f = self.finding
        if _is_right(self.result):
            return "right", "Right: every step lies on torch's own path."
        if f is None:
            return "rule", "Every number lies on torch's own path; one more thing was asked for."
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

    def trouble(self, f: Finding) -> Iterator[_Block]:
        if f.run.status == "raised" and f.run.error is not None:
            yield from self.error(f)
        elif f.run.status != "returned":
            yield _Para(self.stop(f))
        elif f.gap is None:
            yield _Para(_sentence(self.foreign(f.complaint) if self.is_secret else clean(f.complaint)))
            yield from map(_Para, self.compare_steps(f))
        elif self.is_secret:
            yield _Para(" ".join(self.secret_gap(f, f.gap)))
        else:
            yield _Para(" ".join(self.open_gap(f, f.gap)))
            yield self.table(f, f.gap)
        if self.is_secret:
            yield _Para(f"Those inputs stay hidden. To see it for yourself, try {_listed(self.traits(f), 'and')}.")
        elif f.run.status != "missing":
            yield _Para(self.what_was_asked(f), is_quiet=True)

    def open_gap(self, f: Finding, gap: Gap) -> Iterator[str]:
        name = self.exercise.columns[f.column]
        if gap.yours is None:
            yield f"Your list has {_count(len(f.rows), 'entry', 'entries')}, torch's has {len(f.reference)}."
            yield f"Up to there all agrees. At step {gap.step} torch has {_is(name, show(gap.reference))}."
        elif gap.reference is None:
            yield f"All {len(f.reference)} steps agree, and then your list goes on:"
            yield f"it has {len(f.rows)} entries; one per pass makes {len(f.reference)}."
        elif math.isfinite(gap.yours):
            allowed = self.exercise.atol + self.exercise.rtol * abs(gap.reference)
            yield f"At step {gap.step} your {name} is {show(gap.yours)}, torch's is {show(gap.reference)}:"
            off = show(abs(gap.yours - gap.reference))
            yield f"off by {off}, where {_power(allowed)} is tolerated ({self.tolerance})."
        else:
            yield f"At step {gap.step} your {name} is {show(gap.yours)}, which is no finite number;"
            yield f"torch's is {show(gap.reference)} ({self.tolerance})."
        yield from self.compare_steps(f)
        yield from self.blow_up(f)

    def secret_gap(self, f: Finding, gap: Gap) -> Iterator[str]:
        """The gap without a number of the inputs it shows on: the step, and how the walk compares."""
        passes = _count(len(f.reference), "pass", "passes")
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
        old, right, x = f.path[f.parted - 1], f.path[f.parted], f.run.visited[f.parted]
        how = describe_step(old, right, x, with_numbers=not self.is_secret)
        late = ""
        if f.gap is None or f.parted != f.gap.step:
            late = f"The walk itself leaves the path at step {f.parted}. "
        if how and self.is_secret:
            yield f"{late}Seen from the point before, {how}."
        elif how:
            goes = f"torch goes to {_is('x', show(right))}, you to {_is('x', show(x))}"
            yield f"{late}Seen from {_is('x', show(old))}, {how} ({goes})."

    def blow_up(self, f: Finding) -> Iterator[str]:
        """Where a run leaves every scale; said in words, for the picture has to cut it."""
        bound = OUT_OF_BOUNDS * max(1.0, *(abs(v) for row in f.reference for v in row))
        wild = ((t, v) for t, row in enumerate(f.rows) for v in row if not abs(v) <= bound)
        step, value = next(wild, (None, 0.0))
        if step is None or f.gap is None or step == f.gap.step:
            return
        shown = "" if self.is_secret else f" from step {step} on, beginning with {show(value)}"
        yield f"Later your values grow out of all bounds{shown}."

    def error(self, f: Finding) -> Iterator[_Block]:
        error = f.run.error
        assert error is not None
        calls = _count(error.num_calls, "time", "times")
        when = (
            f"in pass {error.num_calls - 1} (f had been called {calls})"
            if error.num_calls > 0
            else "before f was called"
        )
        if self.is_secret:  # the words of an error are the student's to choose: they could carry the inputs out
            yield _Para(
                f"On the lesson's own inputs it runs; on others it stops with {_known_error(error.type)} {when}."
            )
            return
        yield _Code(f"{clean(error.type, 80)}: {clean(error.message) or '(no message)'}")
        if not error.text:
            yield _Para(f"It happened {when}.")
            return
        yield _Para(f"It happened {when}, on {f'line {error.line} of your cell' if error.line else 'this line'}:")
        yield _Code(clean(error.text, 160))

    def stop(self, f: Finding) -> str:
        """Why no list came back, in the words of those who know, else in ours."""
        message = clean(self.result.message) or clean(f.run.message)
        match f.run.status:
            case "missing":
                said = re.sub(r"^There is no function \w+\.\s*", "", message)  # the headline's own words
                return said or "Did you rename it, or did its cell fail to run?"
            case "timed_out":
                ask = "Is there a loop whose end never comes? `iterations` says how many passes are asked for."
                return f"{message or 'It was stopped at the time limit.'} {ask}"
            case _:
                return message or "Nothing more could be asked. Does it call exit, or fill the memory?"

    def traits(self, f: Finding) -> list[str]:
        """What is unlike the lesson in the hidden inputs, without a number."""
        start, values = f.inputs.get("x0"), [row[0] for row in f.reference]
        found = []
        if isinstance(start, int | float):
            found += ["a start left of zero"] if start < 0 else []
            found += ["a start that is not a whole number"] if start != int(start) else []
        if any(b > a for a, b in itertools.pairwise(values)):
            found.append("a rate so large that a step goes uphill")
        if min(values) < 0:
            found.append("an objective that goes below zero")
        if f.inputs.get("f") != self.exercise.lesson.get("f"):
            found.append("another objective")
        changed = [n for n, v in f.inputs.items() if n not in ("f", "x0") and v != self.exercise.lesson.get(n)]
        found += [f"another `{name}`" for name in changed]
        return found[:4] or ["other inputs"]

    def table(self, f: Finding, gap: Gap) -> _Table:
        num = max(len(f.rows), len(f.reference))
        first = max(0, min(gap.step - ROWS_AROUND, num - 2 * ROWS_AROUND - 1))
        steps = range(first, min(first + 2 * ROWS_AROUND + 1, num))
        columns: list[list[str]] = []
        for c in range(len(self.exercise.columns)):
            columns += _aligned(
                *([rows[t][c] if t < len(rows) else None for t in steps] for rows in (f.rows, f.reference))
            )
        return _Table(self.exercise.columns, tuple(steps), tuple(zip(*columns, strict=True)), gap.step, f.column)

    def what_was_asked(self, f: Finding) -> str:
        named = ", ".join(_input(name, value) for name, value in f.inputs.items())
        if f.is_lesson:
            return f"These are the lesson's own inputs: {named}."
        return f"On the lesson's own inputs all agrees; these are others: {named}."

    def what_was_compared(self) -> str:
        num_steps = sum(len(self.exercise.expected(inputs).visited) for inputs, _ in self.runs)
        hidden = sum(inputs != self.exercise.lesson for inputs, _ in self.runs)
        return (
            f"Compared with torch's own run: {_count(len(self.runs), 'run', 'runs')} (the lesson's inputs and "
            f"{_count(hidden, 'other', 'others')}), {_count(num_steps, 'step', 'steps')}, "
            f"every number within the tolerance ({self.tolerance})."
        )

    def broken_rules(self) -> Iterator[_Block]:
        """Of checks that ask for more than numbers."""
        broken = (c for c in self.result.checks if c.message and not c.passed and not c.errored)
        yield from (_Para(self.foreign(c.message)) for c in broken)

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
            f"The first {_count(f.gap.step - 1, 'update is', 'updates are')} right, the next is not: print x and its "
            "gradient at the top of each pass. What is carried over from one pass to the next?"
        )

    def pictures(self) -> Iterator[_Block]:
        """Of the inputs that are spoken of; of the lesson's where nothing is wrong or nothing may be shown."""
        f = self.finding
        if f is not None and f.run.status == "missing":
            return
        if f is not None and not self.is_secret:
            yield from self.picture_of(f.inputs, f.run, f)
            return
        for inputs, run in self.runs:
            if inputs == self.exercise.lesson:
                yield from self.picture_of(inputs, run, None)
                return

    def picture_of(self, inputs: Inputs, run: Run, f: Finding | None) -> Iterator[_Block]:
        objective, path = inputs.get("f"), self.exercise.expected(inputs).visited
        if not isinstance(objective, Objective) or not any(map(math.isfinite, path)):
            return
        rows, reference = _read(run, len(self.exercise.columns))[0], _reference(self.exercise, inputs)
        walk = run.visited if any(map(math.isfinite, run.visited)) else ()
        gap = f.gap if f is not None else None
        series = [
            Series(
                name,
                tuple(row[c] for row in reference),
                tuple(row[c] for row in rows),
                bool(gap and f and f.column == c),
            )
            for c, name in enumerate(self.exercise.columns)
        ]
        scene, left_at = picture.make_scene(
            lambda xs: _evaluate(objective.text, xs),
            path,
            walk,
            series,
            f.parted if f else None,
            gap.step if gap else None,
        )
        columns = " and ".join(self.exercise.columns)
        caption = f"The objective {objective} and the walk on it; {columns} against the step."
        if self.is_secret:
            caption += " These are the lesson's inputs, where all agrees."
        if gap is not None or scene.parted is not None:
            caption += " The first step that differs is marked."
        if left_at is not None and left_at < len(walk):
            caption += f" Your walk leaves the picture at call {left_at} of f, with {_is('x', show(walk[left_at]))}."
        ends = f"{_is('x', show(path[0]))} to {_is('x', show(path[-1]))}"
        left = f"The objective {objective}, and on it torch's path from {ends}; {_describe_walk(walk, path, f)}."
        yield _Pictures(picture.draw(scene), left, f"{columns} against the step{_describe_series(rows, f)}.", caption)


def _describe_walk(walk: Sequence[float], path: Sequence[float], f: Finding | None) -> str:
    if f is not None and f.parted is not None:
        return f"yours leaves it at step {f.parted}"
    if not walk:
        return "your x could not be seen"
    if f is None or f.missed is None:
        return "your path lies on it"
    if len(walk) < len(path):
        return f"yours lies on it and ends at {_is('x', show(walk[-1]))}"
    return "yours takes other points"


def _describe_series(rows: Rows, f: Finding | None) -> str:
    if not rows:
        return ", torch's alone"
    if f is None or f.gap is None:
        return ": yours and torch's agree"
    return f": yours and torch's part at step {f.gap.step}"


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


def _name(diagnosis: Diagnosis, look_at: str, foreign: Callable[[str], str], does: str) -> Iterator[_Block]:
    """The mistake's name and its hint; where there is no name, where to look."""
    names = [f"“{_spoken(name)}”" for name in diagnosis.names]
    if diagnosis.kind == "exception":
        does = "stops in just this way"
    do = re.sub("^(give|stop|do)e?s", r"\1", does)
    if not names:
        lead = f"No mistake that we know of {does}. Where to look first:" if look_at else ""
    elif _is_blank(diagnosis.names):
        lead = "Where to begin:"
    elif diagnosis.kind == "rule":
        lead = f"This is known as {_listed(names, 'and')}."
    elif len(names) == 1:
        lead = f"One known mistake {does}: {names[0]}."
    elif "+" in diagnosis.kind or "together" in diagnosis.remark:
        lead = f"{_number_word(len(names))} known mistakes together {do}: {_listed(names, 'and')}."
    else:
        lead = f"{_number_word(len(names))} known mistakes {do}: either {_listed(names, 'or')}."
    if lead:
        yield _Hints(lead, tuple(dict.fromkeys(filter(None, map(clean, diagnosis.hints)))) if names else (look_at,))
    yield _Para(foreign(_remark(diagnosis)))


def _remark(diagnosis: Diagnosis) -> str:
    """What the remark adds to the names: sentences that only list them, or say that there are none, were said."""
    names = diagnosis.names

    def was_said(sentence: str) -> bool:
        return sentence.startswith("No known mistake") or (len(names) > 1 and all(name in sentence for name in names))

    return " ".join(s for s in re.split(r"(?<=[.?!]) ", diagnosis.remark) if not was_said(s))


def _checks(result: ExerciseResult) -> _Checks:
    """Each check with the points it earned, in the exercise's own scale."""
    worth = sum(c.points for c in result.checks)
    scale = result.points / worth if worth else 1.0
    rows = tuple((_question(c), _answer(c), c.points * scale * c.passed, c.points * scale) for c in result.checks)
    return _Checks(rows, result.score, result.points)


def _trouble(result: ExerciseResult) -> Iterator[_Block]:
    title, message = _title(result), clean(result.message, 2 * MAX_QUOTE)
    match result.outcome:
        case "errored":
            yield _Headline("ours", "This one is on us: it could not be graded.", title, "not judged yet")
            yield _Para(message or "Something on our side broke before your work could be judged.")
            yield _Para("It costs you no points, and nothing of yours is lost. Your instructor sees this too.")
            return
        case "timed_out":
            yield _Headline("off", "Your code did not come to an end.", title, _score(result))
            yield _Para(message or "It was stopped at the time limit.")
            yield _Para("Is there a loop whose end never comes, or does something wait for input?")
        case "passed":
            yield _Headline("right", "Right.", title, _score(result))
            yield _Para(message)
        case _:
            yield _Headline("off", "There was nothing to compare.", title, _score(result))
            yield _Para(message or "Your function could not be called.")
    yield from _name(result.diagnosis, "", clean, "does exactly this")
    yield _checks(result)


# -- words and numbers -------------------------------------------------------------------------------------------------


def show(value: float | None) -> str:
    """A number as it is written in a sentence."""
    return "—" if value is None else f"{value:.6g}"


_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")


def clean(text: str, limit: int = MAX_QUOTE) -> str:
    """Text from elsewhere, fit for one line: no escape codes, no invisible or reversing characters, not too long."""
    text = unicodedata.normalize("NFC", _ANSI.sub("", str(text)[: 8 * limit]))
    text = "".join(c if c.isspace() or unicodedata.category(c)[0] != "C" else "" for c in text)
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _without_numbers(text: str) -> str:
    return re.sub(r"[-+−]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", "…", text)


def _known_error(name: str) -> str:
    known = getattr(builtins, name, None) if name.isidentifier() else None
    return f"`{name}`" if isinstance(known, type) and issubclass(known, BaseException) else "an error"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _is(name: str, value: object) -> str:
    """An equation that no line break may tear."""
    return f"{name} = {value}".replace(" ", "\N{NO-BREAK SPACE}")


def _input(name: str, value: object) -> str:
    return f"f(x) = {value}" if isinstance(value, Objective) else _is(name, value)


def _power(value: float) -> str:
    """A tolerance: two digits, and 1e-4 for 0.0001."""
    return re.sub(r"e-0+", "e-", f"{value:.2g}" if value >= 0.001 else re.sub(r"\.?0*e", "e", f"{value:.1e}"))


def _count(num: int, one: str, many: str) -> str:
    return f"{num} {one if num == 1 else many}"


def _listed(items: Sequence[str], last: str) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"


def _number_word(num: int) -> str:
    return {2: "Two", 3: "Three", 4: "Four", 5: "Five"}.get(num, str(num))


def _spoken(name: str) -> str:
    return clean(name, 60).replace("_", " ").replace("-", " ")


def _is_blank(names: Sequence[str]) -> bool:
    return LEFT_BLANK in [name.replace("_", "-") for name in names]


def _title(result: ExerciseResult) -> str:
    return _sentence(_spoken(result.grade_id.removesuffix("-check")))


def _score(result: ExerciseResult) -> str:
    return f"{result.score:g} of {result.points:g} {'point' if result.points == 1 else 'points'}"


def _question(check: Check) -> str:
    return clean(check.title) or _sentence(_spoken(check.name.removeprefix("test_")))


def _answer(check: Check) -> str:
    return "not judged" if check.errored else "yes" if check.passed else "no"


def _aligned(yours: Sequence[float | None], torchs: Sequence[float | None]) -> list[list[str]]:
    """Both columns with the same decimals, so that the eye compares digits; general form where that would not do."""
    both = [abs(v) for v in (*yours, *torchs) if v is not None and math.isfinite(v)]
    sizes = [abs(v) for v in torchs if v] or [v for v in both if v]
    is_plain = bool(sizes) and max(both) < 1e7 and 1e-3 <= max(sizes) < 1e6 and min(sizes) > 1e-4
    decimals = max(1, min(5 - math.floor(math.log10(max(sizes))), 6)) if is_plain else 0

    def write(value: float | None) -> str:
        return f"{value:.{decimals}f}" if is_plain and value is not None and math.isfinite(value) else show(value)

    return [[write(v) for v in column] for column in (yours, torchs)]


_CURVE = "def curve(f, points):\n    return f(torch.tensor(points, dtype=torch.float64))"


@functools.lru_cache(maxsize=256)
def _evaluate(objective: str, points: tuple[float, ...]) -> tuple[float, ...]:
    """f on many points at once, run as every trusted program is; nan where it gives none."""
    call = Call("curve", (("f", {"objective": objective}), ("points", list(points))))
    rows = compare.to_rows(run_program(load_program(_CURVE), call).returned, 1)
    if isinstance(rows, str) or len(rows) != len(points):
        return (math.nan,) * len(points)
    return tuple(y for (y,) in rows)


# -- blocks ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Headline:
    mood: str
    words: str
    title: str
    score: str


@dataclass(frozen=True, slots=True)
class _Para:
    words: str
    is_quiet: bool = False


@dataclass(frozen=True, slots=True)
class _Code:
    words: str


@dataclass(frozen=True, slots=True)
class _Table:
    """Yours beside torch's for every recorded column; shape (num_steps, 2 * num_columns)."""

    columns: tuple[str, ...]
    steps: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: int  # step of the gap
    column: int  # of the gap


@dataclass(frozen=True, slots=True)
class _Hints:
    lead: str
    hints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Checks:
    rows: tuple[tuple[str, str, float, float], ...]  # question, answer, points earned, points it is worth
    score: float
    points: float


@dataclass(frozen=True, slots=True)
class _Pictures:
    picture: Picture
    objective_alt: str
    values_alt: str
    caption: str


_Block = _Headline | _Para | _Code | _Table | _Hints | _Checks | _Pictures


def _write(blocks: Iterator[_Block]) -> Feedback:
    kept = [b for b in blocks if not (isinstance(b, _Para) and not b.words)]
    body = "".join(map(_to_html, kept))
    text = "\n\n".join(filter(None, map(_to_text, kept)))
    return Feedback(f'<div class="stepgrade tex2jax_ignore mathjax_ignore" style="{_PAGE}">{body}</div>', f"{text}\n")


# -- HTML: styles stand inline, for pages that take <style> away -------------------------------------------------------

# see-through greys and tints: the page around may be light or dark
_PAGE = (
    "max-width:760px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;"
    "font-size:14px;line-height:1.5;text-align:left"
)
_RULE = "1px solid rgba(128,128,128,0.35)"
_QUIET = "font-size:12px;opacity:0.75"
_NUMBER = "padding:2px 9px;text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;border:0"
_WORDS = "padding:3px 12px 3px 0;text-align:left;white-space:normal;border:0"
_TABLE = "border-collapse:collapse;margin:10px 0;font-size:13px;border:0"
_MOODS = {
    "right": ("#009E73", "✓"),
    "off": ("#D55E00", "✗"),
    "rule": ("#E69F00", "!"),
    "open": ("#56B4E9", "…"),
    "ours": ("#56B4E9", "⚙"),
}  # colour and sign: never the colour alone
_SIGNS = {"yes": "✓", "no": "✗", "not judged": "⚙", "": " "}
_MARK = "▶"  # of the row that differs first
_HEADS = ("yours", "torch")


def _escape(words: str) -> str:
    """Escaped, `code` set as code; `$` and a backslash stand alone, so that no page takes them for mathematics."""
    safe = html.escape(words, quote=True).replace("$", "<span>$</span>").replace("\\", "<span>\\</span>")
    return re.sub(r"`([^`]{1,80})`", r'<code style="font-size:0.95em">\1</code>', safe)


def _to_html(block: _Block) -> str:
    match block:
        case _Headline(mood, words, title, score):
            color, sign = _MOODS[mood]
            return (
                f'<div style="border-left:4px solid {color};padding:2px 0 2px 12px;margin:4px 0 10px 0">'
                f'<div style="{_QUIET}">{_escape(title)} · {_escape(score)}</div>'
                f'<div style="font-size:17px;font-weight:600;line-height:1.35">{sign} {_escape(words)}</div></div>'
            )
        case _Para(words, is_quiet):
            return f'<p style="margin:6px 0;overflow-wrap:anywhere;{_QUIET if is_quiet else ""}">{_escape(words)}</p>'
        case _Code(words):
            return (
                '<pre style="margin:6px 0;padding:6px 10px;white-space:pre-wrap;overflow-wrap:anywhere;font-size:13px;'
                f'background:rgba(128,128,128,0.12);color:inherit;border:0">{html.escape(words, quote=True)}</pre>'
            )
        case _Table():
            return _table_to_html(block)
        case _Hints(lead, hints):
            items = "".join(f'<li style="margin:2px 0">{_escape(h)}</li>' for h in hints)
            listed = f'<ul style="margin:4px 0 0 0;padding-left:20px">{items}</ul>' if items else ""
            return (
                '<div style="background:rgba(86,180,233,0.14);padding:8px 12px;margin:10px 0">'
                f'<div style="font-weight:600">{_escape(lead)}</div>{listed}</div>'
            )
        case _Checks():
            return _checks_to_html(block)
        case _Pictures(drawn, objective_alt, values_alt, caption):
            images = _image(drawn.objective, objective_alt) + _image(drawn.values, values_alt)
            return f'<div style="margin:12px 0 0 0">{images}</div><div style="{_QUIET}">{_escape(caption)}</div>'


def _image(png: bytes, alt: str) -> str:
    return (
        f'<img src="data:image/png;base64,{base64.b64encode(png).decode()}" alt="{html.escape(alt)}" width="344" '
        'style="display:inline-block;width:344px;max-width:100%;height:auto;background:#fff;margin:0 4px 4px 0">'
    )


def _table_to_html(table: _Table) -> str:
    rule = f"{_NUMBER};border-bottom:{_RULE}"
    step = f'<th scope="col" rowspan="2" style="{rule};vertical-align:bottom">step</th>'
    groups = "".join(
        f'<th scope="colgroup" colspan="2" style="{_NUMBER};text-align:center">{_escape(c)}</th>' for c in table.columns
    )
    heads = "".join(f'<th scope="col" style="{rule}">{head}</th>' for _ in table.columns for head in _HEADS)
    body = ""
    for number, row in zip(table.steps, table.rows, strict=True):
        is_marked = number == table.marked
        style = f"{_NUMBER};{'background:rgba(213,94,0,0.18)' if is_marked else 'font-weight:400'}"
        cells = "".join(
            f'<td style="{style};font-weight:{600 if is_marked and i // 2 == table.column else 400}">{cell}</td>'
            for i, cell in enumerate(row)
        )
        body += f'<tr><th scope="row" style="{style}">{f"{_MARK} " if is_marked else ""}{number}</th>{cells}</tr>'
    return (
        f'<div style="overflow-x:auto"><table style="{_TABLE}">'
        f'<caption style="caption-side:bottom;text-align:left;padding:4px 0;{_QUIET}">{_caption(_MARK)}</caption>'
        f"<thead><tr>{step}{groups}</tr><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _caption(mark: str) -> str:
    return f"{mark} first gap; step 0 is the start."


def _checks_to_html(block: _Checks) -> str:
    if not block.rows:
        return ""
    rule = f"border-top:{_RULE}"
    body = "".join(
        f'<tr><td style="{_WORDS};{rule}">{_escape(question)}</td>'
        f'<td style="{_WORDS};white-space:nowrap;{rule}">{_SIGNS[answer]} {answer}</td>'
        f'<td style="{_NUMBER};{rule}">{earned:g} of {worth:g}</td></tr>'
        for question, answer, earned, worth in block.rows
    )
    return (
        f'<table style="{_TABLE}"><thead><tr><th scope="col" style="{_WORDS}">check</th>'
        f'<th scope="col" style="{_WORDS}">answer</th><th scope="col" style="{_NUMBER}">points</th></tr></thead>'
        f'<tbody>{body}<tr><th scope="row" colspan="2" style="{_WORDS};{rule}">together</th>'
        f'<td style="{_NUMBER};font-weight:600;{rule}">{block.score:g} of {block.points:g}</td></tr></tbody></table>'
    )


# -- plain text --------------------------------------------------------------------------------------------------------


def _wrap(words: str, first: str = "", rest: str | None = None) -> str:
    indents = {"initial_indent": first, "subsequent_indent": first if rest is None else rest}
    return textwrap.fill(words, TEXT_WIDTH, **indents).replace("\N{NO-BREAK SPACE}", " ")  # type: ignore[arg-type]


def _to_text(block: _Block) -> str:
    match block:
        case _Headline(mood, words, title, score):
            return f"{title} · {score}\n" + _wrap(f"{_MOODS[mood][1]} {words}", "", "  ")
        case _Para(words):
            return _wrap(words)
        case _Code(words):
            return _wrap(words, "    ")
        case _Table():
            return _table_to_text(block)
        case _Hints(lead, hints):
            return "\n".join([_wrap(lead), *(_wrap(h, "  - ", "    ") for h in hints)])
        case _Checks():
            return _checks_to_text(block)
        case _Pictures(_, objective_alt, values_alt):
            return _wrap(f"[Picture: {objective_alt} {values_alt}]")


def _table_to_text(table: _Table) -> str:
    lines = [["", *(cell for name in table.columns for cell in (name, ""))]] if len(table.columns) > 1 else []
    lines.append(["step", *_HEADS * len(table.columns)])
    for number, row in zip(table.steps, table.rows, strict=True):
        lines.append([f"{'> ' if number == table.marked else ''}{number}", *row])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    written = ["   ".join(cell.rjust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([f"  {line}" for line in written] + [f"  {_caption('>')}"])


def _checks_to_text(block: _Checks) -> str:
    lines = []
    for question, answer, earned, worth in (*block.rows, ("together", "", block.score, block.points)):
        first, *more = textwrap.wrap(question, TEXT_WIDTH - 16) or [""]
        lines.append(f"{_SIGNS[answer]} {first.ljust(TEXT_WIDTH - 16)} {f'{earned:g} of {worth:g}'.rjust(12)}")
        lines += [f"  {part}" for part in more]
    return "\n".join(lines) if block.rows else ""
