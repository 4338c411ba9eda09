"""A student's walk: the iterates, with f and its slope there, and which step rules lead along it.

Knows the rule v ← m v + g, x ← x − rate v, and how to ask whether each step of a walk obeys it from where the walk was:
nothing adds up over the passes, so that a wrong constant can be read off the numbers. Refuses to know mistakes' names.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from stepgrade.compare import Rows, is_close
from stepgrade.exercise import Inputs, Objective
from stepgrade.records import Run

MAX_POINTS = 400  # longer walks are not looked into: no exercise has so many passes
ROUNDING = 3e-6  # of a float32 step, relative to the numbers that went into it: some twenty units in the last place
FLOOR = 1e-6  # the same, absolute
LARGE = 1e-2  # a step this large relative to x tells a constant to five digits


@functools.lru_cache(maxsize=4096)
def values_and_slopes(objective: Objective, points: tuple[float, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """f and its slope at many points at once, by torch in float64; shapes (num_points,)."""
    import torch

    x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    y = objective(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    return tuple(y.tolist()), tuple(slope.tolist())


@dataclass(frozen=True, slots=True)
class Walk:
    """The iterates of one run; all sequences have shape (num_points,), and `recorded` may be empty."""

    inputs: Inputs
    xs: tuple[float, ...]
    values: tuple[float, ...]
    slopes: tuple[float, ...]
    recorded: tuple[float, ...] = ()  # second numbers of the rows: rates, as the student has them

    @property
    def steps(self) -> list[float]:
        """x_{t+1} − x_t, shape (num_points − 1,)."""
        return [b - a for a, b in zip(self.xs, self.xs[1:], strict=False)]

    def argument(self, name: str, default: float = 0.0) -> float:
        """An input of the run, or what it is where the exercise has none."""
        value: float = self.inputs.get(name, default)
        return value

    def slack(self, t: int, predicted: float) -> float:
        """How far rounding may move step t."""
        size = abs(self.xs[t]) + abs(self.xs[t + 1]) + abs(predicted)
        return ROUNDING * size + FLOOR


def walk_of(run: Run, rows: Rows | str, inputs: Inputs) -> Walk | None:
    """The iterates of a run, without extra looks at f; None where they cannot be told.

    Args:
        rows: what the run returned; its first column picks the iterates where f was called more often.
    """
    points = run.visited
    if not 0 < len(points) <= MAX_POINTS or not all(map(math.isfinite, points)):
        return None
    values, slopes = values_and_slopes(inputs["f"], points)
    kept = _kept(points, values, rows)
    recorded = tuple(row[1] for row in rows) if isinstance(rows, list) and all(len(row) == 2 for row in rows) else ()
    xs, ys, gs = (tuple(column[i] for i in kept) for column in (points, values, slopes))
    return Walk(inputs, xs, ys, gs, recorded)


def _kept(points: Sequence[float], values: Sequence[float], rows: Rows | str) -> list[int]:
    if isinstance(rows, list) and len(rows) != len(points):
        picked, at = [], 0
        for row in rows:
            while at < len(points) and not is_close(values[at], row[0]):
                at += 1
            picked.append(at)
            at += 1
        if picked and picked[-1] < len(points) and same_point(points[picked[0]], points[0]):
            return picked
    if isinstance(rows, list) and len(rows) == len(points):
        return list(range(len(points)))
    return [i for i, x in enumerate(points) if i == 0 or not same_point(x, points[i - 1])]


def same_point(one: float, other: float) -> bool:
    """Whether two looks at f were at the same x, up to float32's rounding."""
    return abs(one - other) <= 2e-7 * abs(other) + 1e-9


def distinct(points: Sequence[float]) -> tuple[float, ...]:
    """The points of a walk, repeated looks at the same x left out."""
    return tuple(x for i, x in enumerate(points) if i == 0 or not same_point(x, points[i - 1]))


def velocities(slopes: Sequence[float], momentum: float, start: float = 0.0) -> list[float]:
    """v_t = m v_{t−1} + g_t, shape (num_slopes,)."""
    velocity, all_of_them = start, []
    for slope in slopes:
        velocity = momentum * velocity + slope
        all_of_them.append(velocity)
    return all_of_them


def follows(walk: Walk, rates: Sequence[float], momentum: float = 0.0, slopes: Sequence[float] | None = None) -> bool:
    """Whether each step of a walk is −rate_t v_t, up to rounding.

    Args:
        rates: one per step.
        slopes: what took the gradient's place; the true slopes by default.
    """
    moves = velocities(walk.slopes if slopes is None else slopes, momentum)
    return matches(walk, [-rate * v for rate, v in zip(rates, moves, strict=False)])


def matches(walk: Walk, predicted: Sequence[float]) -> bool:
    """Whether each step of a walk is as predicted, up to rounding."""
    return all(
        abs(step - p) <= walk.slack(t, p) for t, (step, p) in enumerate(zip(walk.steps, predicted, strict=False))
    )


def constant_rate(walk: Walk, momentum: float = 0.0) -> float | None:
    """The one rate that explains all steps of a walk; None where there is none."""
    steps, moves = walk.steps, velocities(walk.slopes, momentum)
    if len(steps) < 3:
        return None
    t = max(range(len(steps)), key=lambda i: abs(steps[i]) / (abs(walk.xs[i]) + 1))
    if moves[t] == 0 or abs(steps[t]) < 1e-4:
        return None
    rate = -steps[t] / moves[t]
    return rate if follows(walk, [rate] * len(steps), momentum) else None


def rate_and_momentum(walk: Walk) -> tuple[float, float] | None:
    """The pair (rate, momentum) that explains all steps of a walk; None where there is none.

    Least squares on s_t = m s_{t−1} − a g_t with s_{−1} = 0, then every step is checked.
    """
    columns = [[0.0, *walk.steps[:-1]], [-g for g in walk.slopes[: len(walk.steps)]]]
    found = solve(columns, walk.steps)
    if found is None:
        return None
    momentum, rate = found
    predicted = [momentum * a + rate * b for a, b in zip(*columns, strict=True)]
    return (rate, momentum) if matches(walk, predicted) else None


def solve(columns: Sequence[Sequence[float]], wanted: Sequence[float]) -> list[float] | None:
    """Least squares; None where the columns do not determine the answer."""
    import numpy as np

    matrix = np.array(columns, dtype=float).T
    if len(wanted) <= len(columns) or not np.isfinite(matrix).all():
        return None
    answer, _, rank, singular = np.linalg.lstsq(matrix, np.array(wanted, dtype=float), rcond=None)
    if rank < len(columns) or singular[-1] < 1e-6 * singular[0]:
        return None
    return [float(a) for a in answer]


def rates(walk: Walk, momentum: float = 0.0) -> list[float | None]:
    """The rate of each step; None where the step is too small to tell it.

    Recorded rates are taken where they lead along the walk: they have more digits than its steps.
    """
    moves = velocities(walk.slopes, momentum)
    if walk.recorded and moves[0]:
        first = -walk.steps[0] / moves[0] if walk.steps else 0.0
        for used in ((first, *walk.recorded), walk.recorded):
            if len(used) >= len(walk.steps) and follows(walk, used, momentum):
                return list(used[: len(walk.steps)])
    return [
        -step / moves[t] if abs(step) > LARGE * abs(walk.xs[t]) and abs(step) > LARGE and moves[t] else None
        for t, step in enumerate(walk.steps)
    ]


def agree(one: float, other: float, rtol: float = 1e-3) -> bool:
    """Whether two fitted constants are the same."""
    return abs(one - other) <= rtol * max(abs(one), abs(other)) + 1e-12
