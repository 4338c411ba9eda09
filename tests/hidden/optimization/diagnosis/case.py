"""One submission of this lesson, whose walks are of one number x; and how it compares with a replay.

Knows runs, rows, walks and paths. Refuses to name anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from stepgrade.compare import Rows, first_gap, is_close, to_rows, while_finite
from stepgrade.diagnosis.mutants import flat
from stepgrade.exercise import Exercise
from stepgrade.reach import Written
from stepgrade.records import Point, Run

from . import recording
from .cell import Cell
from .known import Known, Replay
from .laws import is_right
from .recording import Track
from .walks import Walk, distinct, values_and_slopes, walk_of


@dataclass(frozen=True)
class Case:
    """One submission of one exercise, with what can be worked out of it, once."""

    exercise: Exercise
    runs: tuple[Run, ...]
    source: str
    catalogue: Known
    written: Written

    def on_first(self, num: int) -> Case:
        """The same on the first inputs alone."""
        if num not in self._beginnings:
            self._beginnings[num] = replace(self, runs=self.runs[:num]) if num < len(self.runs) else self
        return self._beginnings[num]

    @cached_property
    def _beginnings(self) -> dict[int, Case]:
        return {}

    @cached_property
    def cell(self) -> Cell:
        """The text of the student's cell."""
        return Cell(self.source, self.exercise.function)

    @cached_property
    def num_columns(self) -> int:
        """How many numbers one pass records."""
        return len(self.exercise.columns)

    @cached_property
    def rows(self) -> tuple[Rows | str, ...]:
        """The returned numbers of each run, or why there are none."""
        return tuple(to_rows(run.returned, self.num_columns) for run in self.runs)

    @cached_property
    def returned(self) -> tuple[object, ...]:
        """What came back from each run, as plain lists."""
        return tuple(recording.plain(run.returned) for run in self.runs)

    @cached_property
    def paths(self) -> tuple[tuple[float, ...], ...]:
        """Where f was called in each run, repeated looks at the same x left out."""
        return tuple(distinct(run.visited) for run in self.runs)

    @cached_property
    def values_rows(self) -> tuple[Rows | str, ...]:
        """The first numbers of each entry that came back, whatever else is in it."""
        return tuple(
            to_rows(run.returned, 1) if isinstance(r, str) else r for run, r in zip(self.runs, self.rows, strict=True)
        )

    @cached_property
    def walks(self) -> tuple[Walk, ...]:
        """The iterates of each run; empty where one of them cannot be told."""
        found = [
            walk_of(run, rows, inputs)
            for run, rows, inputs in zip(self.runs, self.values_rows, self.exercise.inputs, strict=True)
        ]
        return tuple(walk for walk in found if walk is not None) if None not in found else ()

    @property
    def is_of_known_law(self) -> bool:
        """Whether torch's own run obeys the rule that the laws are variations of; of another rule they say nothing."""
        known = self.catalogue.remembered
        if "is of known law" not in known:
            right = self.catalogue.right
            questions = zip(right.runs, right.rows, self.exercise.inputs, strict=True)
            walks = [walk_of(run, rows, inputs) for run, rows, inputs in questions]
            known["is of known law"] = all(walk is not None and is_right(walk) for walk in walks)
        return bool(known["is of known law"])

    @cached_property
    def is_on_path(self) -> bool:
        """Whether every run went through torch's own points and no others."""
        return goes_like(self, self.catalogue.right)

    @cached_property
    def walking_alike(self) -> list[Replay]:
        """Mistakes that go the same way on all inputs, whatever is kept of it; one mutant of each name."""
        files = [replay for replay in self.catalogue.files if goes_like(self, replay)]
        along = self.catalogue.catalogue.mutants.like(None, _points(self), self.exercise.atol)
        return [*files, *_mutants(self, _ended(self, along), goes_like)]

    def same(self, one: Rows | str, other: Rows | str) -> bool:
        """Whether two returned tables agree within the exercise's tolerance, up to where both diverge."""
        if isinstance(one, str) or isinstance(other, str) or len(one) != len(other):
            return False
        mine, theirs = _rows_while_finite(one), _rows_while_finite(other)
        has_numbers = bool(mine) or not one
        return has_numbers and first_gap(mine, theirs, self.exercise.rtol, self.exercise.atol) is None

    def near(self, x: float, y: float) -> bool:
        """Whether two iterates agree within the exercise's tolerance."""
        return is_close(x, y, self.exercise.rtol, 10 * self.exercise.atol)


def _rows_while_finite(rows: Rows) -> Rows:
    return rows[: len(while_finite([sum(map(abs, row)) for row in rows]))]


def giving_alike(case: Case) -> list[Replay]:
    """Mistakes that give the same numbers on all inputs, those that also call f at the same points first."""
    files = [replay for replay in case.catalogue.files if gives_the_same(case, replay)]
    mutants = case.catalogue.catalogue.mutants
    record, points, atol = flat(case.runs[0].returned), _points(case), case.exercise.atol
    if any(run.status != "returned" for run in case.runs):
        return []
    ways: Sequence[Callable[[Case, Replay], bool]] = (visits_the_same, goes_like)
    for is_alike in ways:
        along = _ended(case, mutants.like(record, points, atol))
        found = [replay for replay in files if is_alike(case, replay)]
        found += _mutants(case, along, lambda c, r, way=is_alike: gives_the_same(c, r) and way(c, r))
        if found:
            return found
    if any(isinstance(rows, str) for rows in case.rows):
        return []
    return [*files, *_mutants(case, _ended(case, mutants.like(record, None, atol)), gives_the_same)]


def _ended(case: Case, numbers: Sequence[int]) -> list[int]:
    """Those of some mutants that came to an end on the lesson's inputs."""
    kinds = case.catalogue.catalogue.mutants.kinds
    return [number for number in numbers if kinds[number] == "returned"]


def raising_alike(case: Case) -> list[Replay]:
    """Mistakes that stop with the same error, in the same pass of the same runs."""
    first = case.runs[0]
    numbers = case.catalogue.catalogue.mutants.raising(first.error.type if first.error is not None else first.status)
    files = [replay for replay in case.catalogue.files if _stops_like(case, replay)]
    return [*files, *_mutants(case, numbers, _stops_like)]


def _mutants(case: Case, numbers: Sequence[int], is_like: Callable[[Case, Replay], bool]) -> list[Replay]:
    return case.catalogue.mutants_alike(numbers, lambda replay: is_like(case.on_first(len(replay.runs)), replay))


def _points(case: Case) -> list[Point]:
    return [(x,) for x in case.runs[0].visited]


def _stops_like(case: Case, replay: Replay) -> bool:
    return _prints(case.runs) == _prints(replay.runs)


def _prints(runs: Iterable[Run]) -> list[tuple[str, str, str, int]]:
    return [
        (run.status, run.error.type, run.error.message, run.error.num_calls) if run.error else (run.status, "", "", 0)
        for run in runs
    ]


def gives_the_same(case: Case, replay: Replay) -> bool:
    if not replay.has_returned:
        return False
    for number, (rows, wanted) in enumerate(zip(case.rows, replay.rows, strict=True)):
        if isinstance(rows, str) != isinstance(wanted, str):
            return False
        if not isinstance(rows, str):
            if not case.same(rows, wanted):
                return False
        elif case.returned[number] != replay.returned[number] or not case.runs[number].visited:
            return False
    return True


def visits_the_same(case: Case, replay: Replay) -> bool:
    questions = zip(case.runs, replay.runs, strict=True)
    return all(
        len(run.visited) == len(theirs.visited) and _begins_like(case, run.visited, theirs.visited)
        for run, theirs in questions
    )


def _begins_like(case: Case, mine: Sequence[float], path: Sequence[float]) -> bool:
    """Whether a walk goes along a whole path; where the path diverges, the walk must, at the same step."""
    finite = while_finite(path)
    if len(mine) < len(path) or not all(map(case.near, mine, finite)):
        return False
    return len(finite) == len(path) or (bool(finite) and not math.isfinite(mine[len(finite)]))


def goes_like(case: Case, replay: Replay) -> bool:
    """Whether all runs came through a replay's points, in order, and through no others."""
    if not replay.has_returned:
        return False
    questions = zip(case.runs, replay.runs, range(len(case.runs)), strict=True)
    return all(_goes_like(case, run, theirs, replay, i) for run, theirs, i in questions)


def _goes_like(case: Case, run: Run, theirs: Run, replay: Replay, number: int) -> bool:
    if not run.visited or not theirs.visited or not math.isfinite(run.visited[0]):
        return False
    mine, path = case.paths[number], replay.paths[number]
    if len(path) < len(theirs.visited):  # it stands still somewhere: where, and for how long, is what it is known by
        mine, path = run.visited, theirs.visited
    if not _begins_like(case, mine, path):
        return False
    rest = [x for x in mine[len(path) :] if not any(case.near(x, y) for y in path)]
    size = max(map(abs, rest), default=0.0)
    if rest and max(rest) - min(rest) > 3 * (10 * case.exercise.atol + case.exercise.rtol * size):
        return False  # no one point is near to all: where the next pass would lead need not be asked
    return not rest or any(all(case.near(x, y) for x in rest) for y in replay.further[number].visited[-1:])


def track_of(case: Case, replay: Replay, number: int) -> Track | None:
    """What there was to record, if x walked as a replay does; worked out once per replay."""
    key = (replay.program.source, number)
    known = case.catalogue.remembered
    if key not in known:
        known[key] = _make_track(case.exercise, replay, number)
    track: Track | None = known[key]
    return track


def _make_track(exercise: Exercise, replay: Replay, number: int) -> Track | None:
    rows, inputs = replay.further_rows[number], exercise.inputs[number]
    if isinstance(rows, str) or len(rows) < 2:
        return None
    points = replay.further[number].visited
    points = points if len(points) == len(rows) else ()
    slopes = values_and_slopes(inputs["f"], points)[1][:-1] if points else ()
    return Track(
        values=[row[0] for row in rows],
        points=points,
        slopes=slopes,
        rates=[row[1] for row in rows] if len(exercise.columns) > 1 else (),
        lr=inputs["lr"],
        gamma=inputs.get("gamma", math.nan),
        rtol=exercise.rtol,
        atol=exercise.atol,
    )
