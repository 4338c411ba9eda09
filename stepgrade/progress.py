"""What is said while a class is graded: to a person at a terminal, to a log, or to a program.

Knows how to count and to show. Refuses to know how anything is graded.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from stepgrade.records import ExerciseResult

LINE_SECONDS = 10.0  # between two lines in a log
HELD = "could not be graded by our fault; its score is held. {}"  # with the cause
NOT_DIAGNOSED = "was graded, but its mistake was not diagnosed. {}"


def failures_of(exercises: Sequence[ExerciseResult]) -> list[tuple[str, str]]:
    """What failed on our side, by grade cell, in a sentence with its cause."""
    held = [(e.grade_id, HELD.format(e.cause)) for e in exercises if e.outcome == "errored"]
    return held + [(e.grade_id, NOT_DIAGNOSED.format(e.diagnosis.cause)) for e in exercises if e.diagnosis.cause]


class Voice(Protocol):
    """Is told what happens."""

    def begin(self, what: str, total: int, num_current: int) -> None:
        """So many submissions are taken up; the others are graded already."""
        ...

    def done(self, student: str, outcome: str, seconds: float) -> None:
        """A submission is graded and saved, or its pages are written."""
        ...

    def note(self, text: str, student: str = "") -> None:
        """Something that a person should know."""
        ...

    def end(self, summary: dict[str, Any]) -> None:
        """The run is over."""
        ...

    def close(self) -> None:
        """Nothing more is said, however the run ended."""
        ...


def summary_line(summary: dict[str, Any]) -> str:
    """A run in a line."""
    counts = ", ".join(f"{number} {outcome}" for outcome, number in summary["outcomes"].items()) or "none"
    words = [f"{summary['done']} graded in {summary['seconds']:.1f} s ({counts})"]
    words += [f"{summary['current']} were graded already"] if summary["current"] else []
    words += [f"{summary['pages']} feedback pages"] if summary["pages"] else []
    words += [f"{summary['passed_over']} folders passed over"] if summary["passed_over"] else []
    words += [f"{summary['without_page']} feedback pages failed"] if summary["without_page"] else []
    words += [f"{summary['left']} left: run the same command again to go on"] if summary["left"] else []
    return "; ".join(words)


class Json:
    """One event of JSON a line."""

    def begin(self, what: str, total: int, num_current: int) -> None:
        """See `Voice`."""
        self._say(event="begin", what=what, total=total, current=num_current)

    def done(self, student: str, outcome: str, seconds: float) -> None:
        """See `Voice`."""
        self._say(event="done", student=student, outcome=outcome, seconds=round(seconds, 3))

    def note(self, text: str, student: str = "") -> None:
        """See `Voice`."""
        self._say(event="note", student=student, text=text)

    def end(self, summary: dict[str, Any]) -> None:
        """See `Voice`."""
        self._say(event="end", **summary)

    def close(self) -> None:
        """See `Voice`."""

    def _say(self, **event: Any) -> None:
        print(json.dumps(event), flush=True)


class Silent:
    """Says only what went wrong."""

    def begin(self, what: str, total: int, num_current: int) -> None:
        """See `Voice`."""

    def done(self, student: str, outcome: str, seconds: float) -> None:
        """See `Voice`."""

    def note(self, text: str, student: str = "") -> None:
        """See `Voice`."""
        print(_noted(text, student), file=sys.stderr, flush=True)

    def end(self, summary: dict[str, Any]) -> None:
        """See `Voice`."""

    def close(self) -> None:
        """See `Voice`."""


class Lines:
    """A line now and then, for logs."""

    def __init__(self) -> None:
        self._what, self._total, self._began, self._said = "", 0, time.monotonic(), time.monotonic()
        self._outcomes: Counter[str] = Counter()

    def begin(self, what: str, total: int, num_current: int) -> None:
        """See `Voice`."""
        self._what, self._total, self._began = what, total, time.monotonic()
        self._outcomes.clear()
        already = f", {num_current} are current" if num_current else ""
        print(f"{what}: {total} submissions{already}", flush=True)

    def done(self, student: str, outcome: str, seconds: float) -> None:
        """See `Voice`."""
        self._outcomes[outcome] += 1
        number, now = self._outcomes.total(), time.monotonic()
        if now - self._said < LINE_SECONDS and number < self._total:
            return
        self._said = now
        rate = number / max(now - self._began, 1e-6)
        left = (self._total - number) / rate
        words = (f"{number}/{self._total}", f"{rate:.1f}/s", f"{left:.0f} s left", _counts(self._outcomes))
        print(f"{self._what}: {' · '.join(words)}", flush=True)

    def note(self, text: str, student: str = "") -> None:
        """See `Voice`."""
        print(_noted(text, student), file=sys.stderr, flush=True)

    def end(self, summary: dict[str, Any]) -> None:
        """See `Voice`."""
        print(summary_line(summary), flush=True)

    def close(self) -> None:
        """See `Voice`."""


class Bar:
    """A bar with rate, time left and counts, for a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        counted = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
        columns = (TextColumn("{task.description}"), *counted, TextColumn("{task.fields[counts]}"))
        self._bar = Progress(*columns, console=console)
        self._outcomes: Counter[str] = Counter()
        self._began = time.monotonic()
        self._task: Any = None

    def begin(self, what: str, total: int, num_current: int) -> None:
        """See `Voice`."""
        if num_current:
            self._console.print(f"{num_current} submissions are graded already; --force grades them again")
        self._outcomes.clear()
        self._began = time.monotonic()
        self._task = self._bar.add_task(what, total=total, rate="", counts="")
        self._bar.start()

    def done(self, student: str, outcome: str, seconds: float) -> None:
        """See `Voice`."""
        self._outcomes[outcome] += 1
        rate = self._outcomes.total() / max(time.monotonic() - self._began, 1e-6)
        self._bar.update(self._task, advance=1, rate=f"{rate:.1f}/s", counts=_counts(self._outcomes))

    def note(self, text: str, student: str = "") -> None:
        """See `Voice`."""
        self._bar.console.print(escape(_noted(text, student)))

    def end(self, summary: dict[str, Any]) -> None:
        """See `Voice`."""
        self._bar.stop()
        self._console.print(summary_line(summary))

    def close(self) -> None:
        """See `Voice`; a bar that nobody stops leaves the terminal without a cursor."""
        self._bar.stop()


def _noted(text: str, student: str) -> str:
    """A note as a terminal may show it: a folder's name can hold anything, orders to a terminal too."""
    signs = f"{student}: {text}" if student else text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in signs)


def _counts(outcomes: Counter[str]) -> str:
    return " ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))


def open_voice(as_json: bool) -> Voice:
    """The voice for who listens."""
    if as_json:
        return Json()
    console = Console()
    return Bar(console) if console.is_terminal else Lines()
