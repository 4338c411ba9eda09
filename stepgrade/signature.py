"""A few numbers by which equal wrong answers are known again: how a person names what no program explains.

Knows how to pick them from runs, how to compare them, and how they stand in `mistakes.toml`. Refuses to know why they
are wrong and who gave them.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stepgrade import compare
from stepgrade.compare import Rows
from stepgrade.errors import ChecksError
from stepgrade.exercise import Exercise, Inputs
from stepgrade.records import Run

FILE = "mistakes.toml"  # in the folder of an assignment's hidden checks
MOST_INPUTS = 3  # that numbers are taken from
DIGITS = 8  # more than any tolerance asks for

Entry = tuple[float, ...]
"""Place of the inputs (0: the lesson's), number of entries that came back, step, and the numbers recorded there."""


@dataclass(frozen=True, slots=True)
class Named:
    """A row of `mistakes.toml` that names answers by their numbers."""

    name: str
    hint: str
    title: str  # what the student reads instead of the name; may be empty
    numbers: tuple[Entry, ...]
    exercises: tuple[str, ...]  # empty: all


def signature_of(exercise: Exercise, runs: Sequence[tuple[Inputs, Run]]) -> tuple[Entry, ...]:
    """Numbers by which this answer is known again: where it leaves torch's own, and its last ones.

    Returns:
        Empty where no wrong numbers came back.
    """
    found: list[Entry] = []
    for place, (inputs, run) in enumerate(runs):
        rows, gap = _rows(run, exercise), None
        if rows:
            reference = compare.to_rows(exercise.expected(inputs).returned, len(exercise.columns))
            gap = (
                compare.first_gap(rows, reference, exercise.rtol, exercise.atol)
                if isinstance(reference, list)
                else None
            )
        if gap is not None:
            steps = dict.fromkeys((min(gap.step, len(rows) - 1), len(rows) - 1))
            found += [(place, len(rows), step, *map(_short, rows[step])) for step in steps if _is_finite(rows[step])]
        if len({entry[0] for entry in found}) == MOST_INPUTS:
            break
    return tuple(found)


def has_signature(exercise: Exercise, runs: Sequence[tuple[Inputs, Run]], numbers: Sequence[Entry]) -> bool:
    """Whether an answer has these numbers, within the exercise's tolerance."""

    def agrees(entry: Entry) -> bool:
        place, num_rows, step = map(int, entry[:3])
        rows = _rows(runs[place][1], exercise) if 0 <= place < len(runs) else []
        return 0 <= step < num_rows == len(rows) and all(
            compare.is_close(value, wanted, exercise.rtol, exercise.atol)
            for value, wanted in zip(rows[step], entry[3:], strict=True)
        )

    return bool(numbers) and all(len(entry) == 3 + len(exercise.columns) and agrees(entry) for entry in numbers)


def to_toml(exercise: Exercise, numbers: Sequence[Entry]) -> str:
    """The row that names answers with these numbers, its name and hint to be filled in."""
    entries = ", ".join(f"[{', '.join(f'{value:.{DIGITS}g}' for value in entry)}]" for entry in numbers)
    rows = (f"numbers = [{entries}]", 'name = "…"', 'hint = "…"', f'exercises = ["{exercise.name}"]')
    return "\n".join(("[[mistake]]", *rows))


def read_named(folder: Path) -> tuple[Named, ...]:
    """The rows of an assignment's `mistakes.toml` that name answers by their numbers; other rows are not looked at.

    Args:
        folder: of the assignment's hidden checks.

    Raises:
        ChecksError: the file cannot be read, or such a row has no name.
    """
    file = folder / FILE
    if not file.exists():
        return ()
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8")).get("mistake", [])
        return tuple(_named(rows))
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as problem:
        raise ChecksError(f"{file.name} cannot be read: {type(problem).__name__}: {problem}") from problem


def _named(rows: Sequence[Mapping[str, Any]]) -> Iterator[Named]:
    for row in rows:
        if "numbers" in row:
            numbers = tuple(tuple(float(value) for value in entry) for entry in row["numbers"])
            yield Named(
                row["name"], row.get("hint", ""), row.get("title", ""), numbers, tuple(row.get("exercises", ()))
            )


def _rows(run: Run, exercise: Exercise) -> Rows:
    if run.status != "returned":
        return []
    try:
        rows = compare.to_rows(run.returned, len(exercise.columns))
    except (OverflowError, RecursionError):  # JSON can say what no float and no stack holds
        return []
    return [] if isinstance(rows, str) else rows


def _is_finite(row: Sequence[float]) -> bool:
    return all(map(math.isfinite, row))


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
