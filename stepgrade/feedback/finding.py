"""What there is to say of a run: the first thing that is wrong in it.

Knows what a run recorded and where it walked. Refuses to know sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stepgrade import compare
from stepgrade.compare import Rows
from stepgrade.exercise import Exercise, Inputs
from stepgrade.records import Gap, Run


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
    walk: tuple[float, ...]  # the student's x: of each pass where that can be told, else at each call of f
    parted: int | None  # the pass, and the place in `walk`, at which the walk is off the path


def find_trouble(exercise: Exercise, runs: Sequence[tuple[Inputs, Run]]) -> Finding | None:
    """What to show of several runs: the lesson's own inputs where it shows there, else the first hidden one.

    Returns:
        None where every recorded number agrees.
    """
    findings = [_look_at(exercise, inputs, run) for inputs, run in runs]
    return min((f for f in findings if f is not None), key=lambda f: not f.is_lesson, default=None)


def _look_at(exercise: Exercise, inputs: Inputs, run: Run) -> Finding | None:
    reference = reference_of(exercise, inputs)
    path = exercise.expected(inputs).visited
    rows, complaint = read_rows(run, len(exercise.columns))
    is_read = run.status == "returned" and not complaint
    gap = compare.first_gap(rows, reference, exercise.rtol, exercise.atol) if is_read else None
    if run.status == "returned" and gap is None and not complaint:
        return None
    missed = compare.first_missed_point(run.visited, path, exercise.rtol)
    iterates = compare.one_per_pass(run, path, exercise.rtol)
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
        walk=iterates or run.visited,
        parted=None if missed is None else compare.first_parted(iterates, path, exercise.rtol, 10 * compare.ATOL),
    )


def reference_of(exercise: Exercise, inputs: Inputs) -> Rows:
    """What torch's own run records, one row per pass."""
    return compare.measure(exercise.expected(inputs), len(exercise.columns))


def read_rows(run: Run, num_columns: int) -> tuple[Rows, str]:
    """What a run recorded, one row per pass; where it cannot be read, none and why."""
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


def is_rate_too_large(exercise: Exercise, inputs: Inputs) -> bool:
    """Whether the rate alone takes a step of torch's uphill.

    A run that begins at the very point has no memory of earlier steps: what goes uphill there, and downhill with a
    hundredth of the rate, does so by the rate.
    """
    if not {"x0", "lr", "iterations"} <= inputs.keys():
        return False
    values = [row[0] for row in reference_of(exercise, inputs)]
    for x, before, after in zip(exercise.expected(inputs).visited, values, values[1:], strict=False):
        if after > before:
            afresh = {**inputs, "x0": x, "iterations": 2}
            gently = {**afresh, "lr": inputs["lr"] / 100}
            if _goes_uphill(exercise, afresh) and not _goes_uphill(exercise, gently):
                return True
    return False


def _goes_uphill(exercise: Exercise, inputs: Inputs) -> bool:
    rows = compare.to_rows(exercise.expected(inputs).returned, len(exercise.columns))
    return not isinstance(rows, str) and len(rows) == 2 and rows[1][0] > rows[0][0]
