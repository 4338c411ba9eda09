"""What there is to say of a run: the first thing that is wrong in it.

Knows what a run recorded and where it walked. Refuses to know sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stepgrade import compare
from stepgrade.compare import Rows
from stepgrade.exercise import Exercise, Inputs, Objective
from stepgrade.records import Gap, Point, Run


@dataclass(frozen=True, slots=True)
class Finding:
    """The first thing that is wrong in one run."""

    inputs: Inputs
    is_lesson: bool
    run: Run
    objective: Objective | None  # whose calls show the walk; None: there is no walk
    path: tuple[Point, ...]  # torch's iterates, shape (num_passes, num_variables)
    reference: Rows
    rows: Rows  # empty where nothing could be read
    complaint: str  # why nothing could be read
    gap: Gap | None  # in what was recorded
    column: int  # of the gap
    missed: int | None  # first iterate of torch's path to which the student's walk never came
    walk: tuple[Point, ...]  # the student's: the point of each pass where that can be told, else at each call
    parted: int | None  # the pass, and the place in `walk`, at which the walk is off the path

    @property
    def walks_right(self) -> bool:
        """Whether there is a walk, and it is torch's own."""
        return self.objective is not None and self.missed is None


def find_trouble(exercise: Exercise, runs: Sequence[tuple[Inputs, Run]]) -> Finding | None:
    """What to show of several runs: the lesson's own inputs where it shows there, else the first hidden one.

    Returns:
        None where every recorded number agrees.
    """
    findings = [_look_at(exercise, inputs, run) for inputs, run in runs]
    return min((f for f in findings if f is not None), key=lambda f: not f.is_lesson, default=None)


def _look_at(exercise: Exercise, inputs: Inputs, run: Run) -> Finding | None:
    reference = reference_of(exercise, inputs)
    rows, complaint = read_rows(run, len(exercise.columns))
    is_read = run.status == "returned" and not complaint
    gap = compare.first_gap(rows, reference, exercise.rtol, exercise.atol) if is_read else None
    if run.status == "returned" and gap is None and not complaint:
        return None
    objective = objective_of(exercise, inputs)
    path = exercise.expected(inputs).visited if objective is not None else ()
    visited = run.visited if objective is not None else ()
    missed = compare.first_missed_point(visited, path, exercise.rtol)
    iterates = compare.one_per_pass(run, path, exercise.rtol) if objective is not None else ()
    return Finding(
        inputs=inputs,
        is_lesson=inputs == exercise.lesson,
        run=run,
        objective=objective,
        path=path,
        reference=reference,
        rows=rows,
        complaint=complaint,
        gap=gap,
        column=_column(exercise, rows, reference, gap),
        missed=missed,
        walk=iterates or visited,
        parted=None if missed is None else compare.first_parted(iterates, path, exercise.rtol, 10 * compare.ATOL),
    )


def objective_of(exercise: Exercise, inputs: Inputs) -> Objective | None:
    """The objective whose calls show the walk; None where the record alone is judged."""
    found = inputs.get(exercise.objective) if exercise.objective is not None else None
    return found if isinstance(found, Objective) else None


def reference_of(exercise: Exercise, inputs: Inputs) -> Rows:
    """What torch's own run records, one row per pass."""
    has_walk = exercise.objective is not None
    return compare.measure(exercise.expected(inputs), len(exercise.columns), has_walk=has_walk)


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
