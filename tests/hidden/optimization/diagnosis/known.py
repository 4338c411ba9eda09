"""The known mistakes of an exercise of this lesson, as walks of one number.

Knows files and mutants that have a name. Refuses to know students.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from stepgrade.compare import Rows
from stepgrade.diagnosis import catalogue
from stepgrade.diagnosis.catalogue import Catalogue, Program
from stepgrade.records import Run

from .walks import distinct

MOST_COMPLETED = 24  # mutants that are run on further inputs for one answer


def of_one_number(runs: Sequence[Run]) -> tuple[Run, ...]:
    """The same runs, each visited point as its one number; nan where it has others."""
    return tuple(
        replace(run, visited=tuple(p[0] if len(p) == 1 else float("nan") for p in run.visited)) for run in runs
    )


@dataclass(frozen=True)
class Replay:
    """What a program of ours gives, its walks as numbers; see `stepgrade.diagnosis.catalogue.Replay`."""

    whole: catalogue.Replay

    @property
    def program(self) -> Program:
        """The file, or the mutant."""
        return self.whole.program

    @property
    def name(self) -> str:
        """Of the mistake."""
        return self.whole.name

    @functools.cached_property
    def runs(self) -> tuple[Run, ...]:
        """One per input."""
        return of_one_number(self.whole.runs)

    @functools.cached_property
    def further(self) -> tuple[Run, ...]:
        """With one pass more each."""
        return of_one_number(self.whole.further)

    @functools.cached_property
    def paths(self) -> tuple[tuple[float, ...], ...]:
        """Where f was called in each run, repeated looks at the same x left out."""
        return tuple(distinct(run.visited) for run in self.runs)

    @property
    def rows(self) -> tuple[Rows | str, ...]:
        """The returned numbers of each run, or why there are none."""
        return self.whole.rows

    @property
    def returned(self) -> tuple[object, ...]:
        """What came back from each run, as plain lists."""
        return self.whole.returned

    @property
    def further_rows(self) -> tuple[Rows | str, ...]:
        """The returned numbers of each run with one pass more."""
        return self.whole.further_rows

    @property
    def has_returned(self) -> bool:
        """Whether it came to an end on all inputs."""
        return self.whole.has_returned


@dataclass(frozen=True)
class Known:
    """All that is known of an exercise; made once for each catalogue."""

    catalogue: Catalogue
    remembered: dict[Any, Any] = field(default_factory=dict)

    @functools.cached_property
    def right(self) -> Replay:
        """Torch's own run."""
        return Replay(self.catalogue.right)

    @functools.cached_property
    def files(self) -> tuple[Replay, ...]:
        """What each mistake that has a file gives."""
        return tuple(map(Replay, self.catalogue.mistakes))

    def mutants_alike(self, numbers: Sequence[int], is_like: Callable[[Replay], bool]) -> list[Replay]:
        """One mutant of each name for which something holds on all inputs.

        Args:
            numbers: where they are searched, the nearest first.
            is_like: asked of a mutant on the first inputs, and then on one more, and one more.
        """
        found: dict[str, Replay] = {}
        num_completed, num_inputs = 0, len(self.catalogue.exercise.inputs)
        for number in numbers:
            walk = self._walk_of(self.catalogue.replay_of(number))
            if not walk.program.hint or walk.name in found or not (is_alike := is_like(walk)):
                continue
            num_completed += len(walk.runs) < num_inputs
            if num_completed > MOST_COMPLETED:
                break
            while is_alike and len(walk.runs) < num_inputs:
                walk = self._walk_of(self.catalogue.complete(walk.whole, len(walk.runs) + 1))
                is_alike = is_like(walk)
            if is_alike:
                found[walk.name] = walk
        return list(found.values())

    def _walk_of(self, replay: catalogue.Replay) -> Replay:
        """Worked out once for each mutant, on the first inputs and on all."""
        key = "walk", replay.program.source, len(replay.runs)
        walk: Replay = self.remembered.get(key) or self.remembered.setdefault(key, Replay(replay))
        return walk

    @property
    def hints(self) -> dict[str, str]:
        """By name."""
        return dict(self.catalogue.hints)

    @property
    def names(self) -> frozenset[str]:
        """Of the mistakes."""
        return self.catalogue.names


def known_of(found: Catalogue) -> Known:
    """What is known of an exercise, worked out once."""
    known: Known = found.remembered.setdefault("known", Known(found))
    return known
