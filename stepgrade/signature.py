"""A few numbers by which equal wrong answers are known again: how a person names what no program explains.

Knows how to pick them from runs, how to compare them, and how they stand in a row of `mistakes.toml`: its operator is
"numbers", its role these. Refuses to know why they are wrong and who gave them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from stepgrade import compare
from stepgrade.compare import Rows
from stepgrade.exercise import Exercise, Inputs
from stepgrade.records import Run

OPERATOR = "numbers"  # of a row: no program makes this mistake, its numbers are known
MOST_INPUTS = 3  # that numbers are taken from
DIGITS = 8  # more than any tolerance asks for

Entry = tuple[float, ...]
"""Place of the inputs (0: the lesson's), number of entries that came back, step, and the numbers recorded there."""


def signature_of(exercise: Exercise, runs: Sequence[tuple[Inputs, Run]]) -> tuple[Entry, ...]:
    """Numbers by which this answer is known again: where it leaves torch's own, and its last ones.

    Returns:
        Empty where no wrong numbers came back.
    """
    found: list[Entry] = []
    for place, (inputs, run) in enumerate(runs):
        rows, reference = _rows(run, exercise), _rows(exercise.expected(inputs), exercise)
        gap = compare.first_gap(rows, reference, exercise.rtol, exercise.atol) if rows else None
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


def to_row(exercise: Exercise, numbers: Sequence[Entry]) -> str:
    """The row that names answers with these numbers; its name and hint are to be filled in."""
    role = "; ".join(" ".join(f"{value:.{DIGITS}g}" for value in entry) for entry in numbers)
    fields = {"operator": OPERATOR, "role": role, "name": "…", "hint": "…"}
    lines = [f'{field} = "{value}"' for field, value in fields.items()]
    return "\n".join(["[[mistake]]", *lines, f'exercises = ["{exercise.name}"]'])


def read_role(role: str) -> tuple[Entry, ...]:
    """The numbers of such a row; empty where it holds something else, which no answer has."""
    try:
        numbers = tuple(tuple(map(float, entry.split())) for entry in role.split(";"))
    except ValueError:
        return ()
    return numbers if all(map(_is_finite, numbers)) else ()


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
