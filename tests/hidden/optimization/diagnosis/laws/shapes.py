"""Something else in the gradient's place, in the memory's, or on the way of x.

Knows limits, pulls, bounds, memories and digits. Refuses to know rates and schedules.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from itertools import pairwise

from stepgrade.exercise import Inputs

from ..walks import Walk, agree, follows, matches, same_point, solve, velocities
from .law import Law, Walks, due_rates, momentum_of, telling


def used_gradients(walk: Walk) -> list[float]:
    """What took the gradient's place in each step, if rates and momentum are right."""
    due, momentum, before, used = due_rates(walk), momentum_of(walk), 0.0, []
    for t, step in enumerate(walk.steps):
        velocity = -step / due[t]
        used.append(velocity - momentum * before)
        before = velocity
    return used


def gradients(walks: Walks, lesson: Inputs) -> Iterator[Law]:
    """A gradient that is cut, or joined by a pull to zero."""
    used = [used_gradients(walk) for walk in walks]
    largest = max((abs(g) for gradients in used for g in gradients), default=0.0)
    pairs = [
        (u, g) for walk, all_of in zip(walks, used, strict=True) for u, g in zip(all_of, walk.slopes, strict=False)
    ]
    cut = [abs(u) for u, g in pairs if abs(g) > 1.001 * largest]
    limit = statistics.median(cut) if len(cut) >= 2 else 0.0
    if limit and all(_is_moved_by(w, [max(-limit, min(limit, g)) for g in w.slopes]) for w in walks):
        yield Law(("gradient-clipped",), f"No gradient of yours is larger than {limit:.4g}.")
    pull = _pull(walks, used)
    if pull and all(_is_moved_by(w, [g + pull * x for g, x in zip(w.slopes, w.xs, strict=True)]) for w in walks):
        yield Law(("weight-decay",))


def _is_moved_by(walk: Walk, gradients: Sequence[float]) -> bool:
    return follows(walk, due_rates(walk), momentum_of(walk), gradients)


def _pull(walks: Walks, used: Sequence[Sequence[float]]) -> float | None:
    """The w of g + w x, from the step that tells it best."""
    pairs = [
        (walk.xs[t], gradient - walk.slopes[t])
        for walk, all_of in zip(walks, used, strict=True)
        for t, gradient in enumerate(all_of)
    ]
    x, extra = max(pairs, key=lambda pair: abs(pair[1]), default=(0.0, 0.0))
    return extra / x if x and abs(extra / x) > 1e-3 else None


def bounds(walks: Walks, lesson: Inputs) -> Iterator[Law]:
    """Right steps, but x stops at bounds that are the same in every run."""
    points = [x for walk in walks for x in walk.xs[1:]]
    if not points:
        return
    low, high, num_cut = min(points), max(points), 0
    for walk in walks:
        moves = velocities(walk.slopes, momentum_of(walk))
        free = [x - rate * v for x, rate, v in zip(walk.xs, due_rates(walk), moves, strict=False)]
        kept = [max(low, min(high, x)) for x in free]
        num_cut += sum(abs(a - b) > 1e-3 for a, b in zip(free[:-1], kept, strict=False))
        if not matches(walk, [b - a for a, b in zip(walk.xs, kept, strict=False)]):
            return
    if num_cut >= 1:
        yield Law(("x-clamped",), f"Your x never leaves the range from {low:.4g} to {high:.4g}.")


def memories(walks: Walks, lesson: Inputs) -> Iterator[Law]:
    """A right first step and another factor for later gradients, or a velocity that does not start at zero."""
    told = telling(walks)
    if "momentum" not in lesson:
        kept = [_memory(walk) for walk in told]
        if len(told) >= 2 and None not in kept:
            sums = all(agree(m, 1.0) for m in kept if m is not None)
            yield Law(("grad-not-zeroed" if sums else "momentum-added",))
        return
    factors = [_later_factor(walk) for walk in told]
    if len(told) >= 2 and all(f is not None and not agree(f, 1.0) for f in factors):
        yield Law(("dampening",))
    if len(told) >= 2 and all(_has_other_start(walk) for walk in told):
        yield Law(("wrong-velocity-start",))


def _memory(walk: Walk) -> float | None:
    """The momentum that explains all steps where none was asked for; None where there is none."""
    moved = [-step / rate for step, rate in zip(walk.steps, due_rates(walk), strict=False)]
    t = max(range(1, len(moved)), key=lambda i: abs(walk.steps[i - 1]), default=0)
    if not t or not moved[t - 1]:
        return None
    momentum = (moved[t] - walk.slopes[t]) / moved[t - 1]
    is_one = 1e-2 < abs(momentum) < 1.5 and follows(walk, due_rates(walk), momentum)
    return momentum if is_one else None


def _later_factor(walk: Walk) -> float | None:
    """The c of v_t = m v_{t−1} + c g_t for t ≥ 1, where v_0 = g_0; None where the walk is none of this kind."""
    steps, rate, momentum = walk.steps, walk.argument("lr"), momentum_of(walk)
    if abs(steps[0] + rate * walk.slopes[0]) > walk.slack(0, steps[0]):
        return None
    found = solve([[-rate * g for g in walk.slopes[1:-1]]], [b - momentum * a for a, b in pairwise(steps)])
    if found is None:
        return None
    later = [momentum * a - found[0] * rate * g for a, g in zip(steps, walk.slopes[1:], strict=False)]
    return found[0] if matches(walk, [steps[0], *later]) else None


def _has_other_start(walk: Walk) -> bool:
    rate, momentum = walk.argument("lr"), momentum_of(walk)
    start = (-walk.steps[0] / rate - walk.slopes[0]) / momentum
    moves = velocities(walk.slopes, momentum, start)
    return abs(start) > 1e-2 and matches(walk, [-rate * v for v in moves])


def precision(walks: Walks, lesson: Inputs) -> Iterator[Law]:
    """All points are numbers that half precision has."""
    points = [x for walk in walks for x in walk.xs[1:]]
    for fits in (is_bfloat16, is_float16):
        if all(fits(x) for x in points) and len(set(points)) >= 8:
            yield Law(("low-precision",))


def is_bfloat16(x: float) -> bool:
    """Whether a number has no more than the 8 significant bits of bfloat16."""
    return math.frexp(x)[0] * 2**8 % 1 == 0


def is_float16(x: float) -> bool:
    """Whether a number has no more than the 11 significant bits of float16."""
    return math.frexp(x)[0] * 2**11 % 1 == 0


def is_difference_quotient(points: Sequence[float], num_passes: int) -> bool:
    """Whether f was called, pass by pass, at x and at the same small distances from it.

    A walk of equal steps has equal distances too, but it goes on from where it has looked.
    """
    lengths = [abs(b - a) for a, b in pairwise(points)]
    if all(abs(length - lengths[0]) <= 1e-6 * max(map(abs, points)) for length in lengths):
        return False
    for period in (2, 3, 4):
        if period * num_passes > len(points):
            return False
        groups = [points[i : i + period] for i in range(0, len(points) - period + 1, period)]
        if len(groups) < 3:
            continue
        offsets = [[x - group[0] for x in group] for group in groups]
        slack = [2e-6 * max(map(abs, group)) + 1e-7 for group in groups]
        same = all(
            abs(a - b) <= s + slack[0]
            for group, s in zip(offsets, slack, strict=True)
            for a, b in zip(group, offsets[0], strict=True)
        )
        far = max(abs(a - b) for a in offsets[0] for b in offsets[0])
        moves = any(abs(group[0] - groups[0][0]) > 0.02 for group in groups)
        goes_on = all(any(same_point(b[0], x) for x in a[1:]) for a, b in pairwise(groups))
        if same and moves and not goes_on and 0 < far <= 1:
            return True
    return False
