"""Searches inputs that separate an exercise's mistakes from the right answer, and from one another, best.

Knows how to weigh inputs. Refuses to change the exercise: it prints what its author may choose.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepgrade.checks import Checks
from stepgrade.compare import measure
from stepgrade.course import Course
from stepgrade.diagnosis.catalogue import Catalogue, Replay, drifts, load_catalogue, replay_reference
from stepgrade.errors import ChecksError
from stepgrade.exercise import Exercise, Inputs, Objective
from stepgrade.proofs.inputs import draw
from stepgrade.proofs.separation import on_input

NUM_DRAWN, TRIES = 18, 10  # that are looked at; times as many are drawn until that many can be measured
FAR = 1e4  # tolerances; further apart is not better

Distances = NDArray[np.float64]
"""How far each mistake is from the right answer and from the others, in tolerances, cut at FAR; shape (num_pairs,)."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Inputs for one exercise, and how well they do."""

    exercise: str
    present: float
    found: float
    num_close: int
    hidden: tuple[Inputs, ...]

    def __str__(self) -> str:
        lines = [f"    {_as_code(inputs)}," for inputs in self.hidden]
        said = (
            f"# {self.exercise}: the smallest separation is {self.found:,.0f} tolerances; now it is {self.present:,.0f}"
        )
        return "\n".join(
            [said, f"# ({self.num_close} pairs that no input tells apart are left out)", "HIDDEN = (", *lines, ")"]
        )


def _as_code(inputs: Inputs) -> str:
    return "{" + ", ".join(f'"{name}": {_value_as_code(value)}' for name, value in inputs.items()) + "}"


def _value_as_code(value: Any) -> str:
    if not isinstance(value, Objective):
        return f'"{value}"' if isinstance(value, str) and value.isprintable() and '"' not in value else repr(value)
    variables = f', "{value.variables}"' if value.variables != "x" else ""
    return f'Objective("{value.text}"{variables})'


def suggest(course: Course, assignment: str, seed: int = 0) -> str:
    """Search inputs that separate all mistakes best, and say so as Python.

    Raises:
        ChecksError: the hidden checks cannot be collected.
    """
    folder = course.hidden_checks(assignment)
    with Checks(folder) as checks:
        found = [suggest_for(exercise, folder / exercise.name, seed) for exercise in checks.exercises]
    return "\n\n".join(str(suggestion) for suggestion in found)


def suggest_for(exercise: Exercise, folder: Path, seed: int = 0) -> Suggestion:
    """The best inputs among those drawn and those that the exercise has, as many as it has now."""
    num = len(exercise.hidden)
    many = itertools.islice(draw(exercise, random.Random(seed)), TRIES * NUM_DRAWN)
    drawn = tuple(itertools.islice((inputs for inputs in many if _is_measure(exercise, inputs)), NUM_DRAWN))
    tried = replace(exercise, hidden=(*exercise.hidden, *_steady(exercise, drawn)), _expected={}, _bounds={})
    table = separations(load_catalogue(folder, tried))
    told = table[:, table.max(axis=0) >= 1]  # what no input tells apart is a basket, not a task
    present, best = list(range(num)), choose(told, num)
    if _worst(told, present) >= _worst(told, best):
        best = present
    hidden = tuple(tried.hidden[i] for i in sorted(best))
    num_close = table.shape[1] - told.shape[1]
    return Suggestion(exercise.name, _worst(told, present), _worst(told, best), num_close, hidden)


def _steady(exercise: Exercise, drawn: Sequence[Inputs]) -> tuple[Inputs, ...]:
    """Those inputs on which rounding moves a right answer by little, so that the tolerance has room."""
    tried = replace(exercise, hidden=tuple(drawn), _expected={}, _bounds={})
    right = replay_reference(tried)
    moved = [drifted for _, drifted in drifts(tried)]
    numbers = range(1, len(tried.inputs))
    return tuple(tried.inputs[n] for n in numbers if all(on_input(drifted, right, n) < 0.25 for drifted in moved))


def _is_measure(exercise: Exercise, inputs: Inputs) -> bool:
    """Whether torch's own run takes these inputs, and can be compared with."""
    tried = replace(exercise, hidden=(inputs,), _expected={}, _bounds={})
    try:
        expected, has_walk = tried.expected(inputs), exercise.objective is not None
        measure(expected, len(exercise.columns), tried.num_passes(inputs), has_walk)
    except (ChecksError, ValueError, TypeError):
        return False
    return True


def separations(catalogue: Catalogue) -> Distances:
    """One row of distances per hidden input, declared baskets left out, shape (num_inputs, num_pairs)."""
    replays = [catalogue.right, *catalogue.mistakes]
    baskets = catalogue.exercise.baskets
    pairs = [
        (a, b)
        for a, b in itertools.combinations(replays, 2)
        if a.name != b.name and not any({a.name, b.name} <= basket for basket in baskets)
    ]
    num = len(catalogue.exercise.inputs)
    return np.array([[_distance(a, b, number) for a, b in pairs] for number in range(1, num)])


def _distance(one: Replay, other: Replay, number: int) -> float:
    return min(FAR, on_input(one, other, number))


def choose(table: Distances, num: int) -> list[int]:
    """Rows, one after the other, by the number of pairs they set far apart, then by how far."""
    chosen: list[int] = []
    best = np.zeros(table.shape[1])
    for _ in range(num):
        gains = [_quality(np.maximum(best, row)) for row in table]
        order = sorted(range(len(table)), key=lambda i: gains[i], reverse=True)
        chosen.append(next(i for i in order if i not in chosen))
        best = np.maximum(best, table[chosen[-1]])
    return chosen


def _quality(best: Distances) -> tuple[float, float]:
    return float((best >= 100).sum()), float(np.log10(best + 1).sum())


def _worst(table: Distances, rows: Sequence[int]) -> float:
    return float(table[list(rows)].max(axis=0).min()) if table.size else 0.0
