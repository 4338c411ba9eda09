"""One submission of one exercise, with what can be worked out of it, once; and how it compares with a replay.

Knows runs, rows and points. Refuses to name anything.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from stepgrade.compare import Rows, first_gap, is_near, to_rows, while_finite
from stepgrade.diagnosis.catalogue import Catalogue, Replay
from stepgrade.diagnosis.recording import Kept, plain
from stepgrade.exercise import Exercise, Inputs, Objective
from stepgrade.reach import Written
from stepgrade.records import Point, Run


@dataclass(frozen=True)
class Case:
    """One submission of one exercise, with what can be worked out of it, once.

    Attributes:
        exercise: as its hidden checks declare it.
        runs: one per input.
        source: text of the student's own cell.
        catalogue: the exercise's known mistakes.
        written: all code of the submission.
    """

    exercise: Exercise
    runs: tuple[Run, ...]
    source: str
    catalogue: Catalogue
    written: Written

    def on_first(self, num: int) -> Case:
        """The same on the first inputs alone."""
        return self if num >= len(self.runs) else replace(self, runs=self.runs[:num])

    @cached_property
    def digest(self) -> str:
        """Of what was answered: equal answers have equal ones."""
        return hashlib.blake2b(repr(self.runs).encode(), digest_size=16).hexdigest()

    @cached_property
    def num_columns(self) -> int:
        """How many numbers one pass records."""
        return len(self.exercise.columns)

    @property
    def has_walk(self) -> bool:
        """Whether there is an objective, whose calls show the walk."""
        return self.exercise.objective is not None

    @cached_property
    def rows(self) -> tuple[Rows | str, ...]:
        """The returned numbers of each run, or why there are none."""
        return tuple(to_rows(run.returned, self.num_columns) for run in self.runs)

    @cached_property
    def returned(self) -> tuple[object, ...]:
        """What came back from each run, as plain lists."""
        return tuple(plain(run.returned) for run in self.runs)

    @cached_property
    def is_right(self) -> bool:
        """Whether what came back is torch's own trajectory, on all inputs."""
        pairs = zip(self.rows, self.catalogue.right.rows, strict=False)
        return len(self.runs) == len(self.exercise.inputs) and all(self.same(rows, right) for rows, right in pairs)

    @cached_property
    def is_on_path(self) -> bool:
        """Whether every run went through torch's own points and no others."""
        return self.has_walk and self.walks_like(self.catalogue.right)

    def same(self, one: Rows | str, other: Rows | str) -> bool:
        """Whether two returned tables agree within the exercise's tolerance, up to where both diverge."""
        if isinstance(one, str) or isinstance(other, str) or len(one) != len(other):
            return False
        mine, theirs = _while_finite(one), _while_finite(other)
        has_numbers = bool(mine) or not one
        return has_numbers and first_gap(mine, theirs, self.exercise.rtol, self.exercise.atol) is None

    def near(self, one: Point, other: Point) -> bool:
        """Whether two points agree within the exercise's tolerance."""
        return is_near(one, other, self.exercise.rtol, 10 * self.exercise.atol)

    def gives_like(self, replay: Replay) -> bool:
        """Whether the same came back, on all inputs of the case."""
        if not replay.has_returned or any(run.status != "returned" for run in self.runs):
            return False
        for number, (rows, wanted) in enumerate(zip(self.rows, replay.rows[: len(self.rows)], strict=True)):
            if isinstance(rows, str) or isinstance(wanted, str):
                if repr(self.returned[number]) != repr(replay.returned[number]):
                    return False
            elif not self.same(rows, wanted):
                return False
        return True

    def walks_like(self, replay: Replay) -> bool:
        """Whether all runs came through a replay's points, in order, and through no others."""
        if not self.has_walk:
            return True
        return all(self._goes_like(run.visited, theirs.visited) for run, theirs in self._beside(replay))

    def _beside(self, replay: Replay) -> Iterator[tuple[Run, Run]]:
        return zip(self.runs, replay.runs[: len(self.runs)], strict=True)

    def calls_like(self, replay: Replay) -> bool:
        """Whether the objective was called at the very same points, as often."""
        pairs = self._beside(replay)
        return all(len(a.visited) == len(b.visited) and all(map(self.near, a.visited, b.visited)) for a, b in pairs)

    def _goes_like(self, visited: Sequence[Point], theirs: Sequence[Point]) -> bool:
        mine, path = self._distinct(visited), self._distinct(theirs)
        if len(path) < len(theirs):  # it stands still somewhere: where, and for how long, is what it is known by
            mine, path = tuple(visited), tuple(theirs)
        finite = path[: len(while_finite([sum(map(abs, point)) for point in path]))]
        if len(finite) < len(path):  # it diverges: so must mine, at the same step; what comes then says nothing
            if len(mine) <= len(finite) or math.isfinite(sum(mine[len(finite)])):
                return False
            mine, path = mine[: len(finite)], finite
        if not path:
            return not mine and not theirs
        if len(mine) < len(path) or not all(map(self.near, mine, path)):
            return False
        return all(any(self.near(point, known) for known in path) for point in mine[len(path) + 1 :])

    def _distinct(self, points: Sequence[Point]) -> tuple[Point, ...]:
        """Repeated looks at the same point left out."""
        return tuple(p for i, p in enumerate(points) if i == 0 or not is_near(p, points[i - 1], 2e-7, 1e-9))

    def kept(self, number: int) -> Kept | None:
        """What there was to record in a right run; None where it cannot be told."""
        right, inputs = self.catalogue.right, self.exercise.inputs[number]
        rows = right.rows[number]
        if isinstance(rows, str):
            return None
        further = right.further_rows[number] if right.further else rows
        points = right.further[number].visited if right.further else right.runs[number].visited
        more = rows if isinstance(further, str) or len(further) <= len(rows) else further
        numbers = {n: float(v) for n, v in inputs.items() if isinstance(v, int | float) and not isinstance(v, bool)}
        same_length = len(points) in (len(rows), len(more))
        walk = points if same_length else ()
        values = self.catalogue.once(("values", number), lambda: _values(self.exercise, inputs, walk))
        return Kept(more, len(rows), walk, numbers, values, self.exercise.rtol, self.exercise.atol)


def _values(exercise: Exercise, inputs: Inputs, points: Sequence[Point]) -> tuple[float, ...]:
    """What the objective gives at some points; nothing where it cannot be told how it takes them."""
    import torch

    objective = inputs.get(exercise.objective or "")
    if not isinstance(objective, Objective):
        return ()
    num = len(objective.names)
    many = [[torch.tensor([v]) for v in p] if num == len(p) else [torch.tensor(p)] for p in points]
    return tuple(float(objective(*given)) for given in many if len(given) == num)


def _while_finite(rows: Rows) -> Rows:
    return rows[: len(while_finite([sum(map(abs, row)) for row in rows]))]
