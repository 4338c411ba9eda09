"""Right steps from a wrong start.

Knows x0 and where the last call ended. Refuses to judge the steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from stepgrade.compare import is_close
from stepgrade.exercise import Inputs

from ..walks import Walk, agree, constant_rate, rate_and_momentum, rates
from .law import Law, Walks, is_right
from .schedules import geometric


def starts(walks: Walks, lesson: Inputs) -> Iterator[Law]:
    """Right steps from another start, or from where the last call ended."""
    wrong = [w for w in walks if not is_close(w.xs[0], float(w.inputs["x0"]), 1e-5, 1e-6)]
    if not wrong:
        return
    ends = [next_point(w) for w in walks]
    later = [(w, end) for w, end in zip(walks[1:], ends, strict=False) if w in wrong]
    if len(later) == len(walks) - 1 and all(is_close(w.xs[0], end, 1e-3, 1e-4) for w, end in later):
        yield Law(("state-leaks-between-calls",), "The second call begins where the first one ended.")
        return
    if not all(is_right(w) for w in walks):
        return
    if all(is_close(w.xs[0], math.trunc(w.inputs["x0"]), 1e-6, 1e-6) for w in walks):
        yield Law(("x0-truncated",))
    elif all(w.xs[0] == float(lesson["x0"]) for w in walks):
        yield Law(("hard-coded-x0",))
    else:
        yield Law(
            ("wrong-start",), f"Your walk begins at {walks[0].xs[0]:g}, whatever x0 is." if _is_one(walks) else ""
        )


def _is_one(walks: Walks) -> bool:
    return all(agree(w.xs[0], walks[0].xs[0]) for w in walks)


def next_point(walk: Walk) -> float:
    """Where a walk would step next, by the rate and momentum that it has followed."""
    fitted = rate_and_momentum(walk) if len(walk.xs) > 3 else None
    rate = constant_rate(walk)
    if rate is not None or fitted is None:
        used = rate if rate is not None else (rates(walk)[-1:] or [None])[0]
        ratio = _ratio(walk)
        used = (used if used is not None else walk.argument("lr")) * (ratio if rate is None else 1.0)
        return walk.xs[-1] - used * walk.slopes[-1]
    last = walk.steps[-1] if walk.steps else 0.0
    return walk.xs[-1] + fitted[1] * last - fitted[0] * walk.slopes[-1]


def _ratio(walk: Walk) -> float:
    found = geometric(rates(walk))
    return found[1] if found else 1.0
