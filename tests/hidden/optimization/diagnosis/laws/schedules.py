"""The true gradient, and rates that change from pass to pass in a wrong way.

Knows schedules by the names of mistakes. Refuses to know what was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from stepgrade.exercise import Inputs

from ..walks import Walk, agree, follows, rates
from .constants import FACTORS, RATES, relation, says, typed_lr
from .law import Law, Walks, due_rates, is_constant, is_right, momentum_of, telling

Schedule = Callable[[float, float, int], float]
SCHEDULES: dict[str, tuple[Schedule, ...]] = {
    "lr-never-decays": (lambda lr, gamma, t: lr,),
    "scheduler-stepped-first": (lambda lr, gamma, t: lr * gamma ** (t + 1),),
    "scheduler-stepped-twice": (lambda lr, gamma, t: lr * gamma ** (2 * t),),
    "scheduler-every-second-pass": (
        lambda lr, gamma, t: lr * gamma ** (t // 2),
        lambda lr, gamma, t: lr * gamma ** ((t + 1) // 2),
    ),
    "scheduler-one-pass-late": (lambda lr, gamma, t: lr * gamma ** max(t - 1, 0),),
    "constant-scaled-lr": (
        lambda lr, gamma, t: lr * gamma,
        lambda lr, gamma, t: lr * (gamma if t else 1.0),
    ),
    "linear-instead-of-exponential": (
        lambda lr, gamma, t: lr * gamma * t,
        lambda lr, gamma, t: lr * gamma * (t + 1),
        lambda lr, gamma, t: lr * (1 - (1 - gamma) * t),
        lambda lr, gamma, t: lr * max(0.0, 1 - (1 - gamma) * t),
        lambda lr, gamma, t: lr * (1 - gamma * t),
        lambda lr, gamma, t: lr * max(0.0, 1 - gamma * t),
        lambda lr, gamma, t: lr - gamma * t,
        lambda lr, gamma, t: lr * gamma * t if t else lr,
    ),
    "super-exponential-decay": (
        lambda lr, gamma, t: lr * gamma ** (t * (t + 1) / 2),
        lambda lr, gamma, t: lr * gamma ** (t * (t - 1) / 2),
        lambda lr, gamma, t: lr * gamma ** (t * t),
    ),
    "lr-grows": (lambda lr, gamma, t: lr * gamma**-t,),
    "one-minus-gamma": (lambda lr, gamma, t: lr * (1 - gamma) ** t,),
    "lr-gamma-swapped": (lambda lr, gamma, t: gamma * lr**t,),
    "lr-squared": (lambda lr, gamma, t: lr * lr * gamma**t, lambda lr, gamma, t: lr * (lr * gamma**t if t else 1.0)),
    "lr-doubled": (lambda lr, gamma, t: 2 * lr * gamma**t,),
    "lr-halved": (lambda lr, gamma, t: lr / 2 * gamma**t,),
    "wrong-sign": (lambda lr, gamma, t: -lr * gamma**t,),
    "lr-missing": (lambda lr, gamma, t: gamma**t,),
    "divided-by-lr": (lambda lr, gamma, t: gamma**t / lr,),
}


def schedules(walks: Walks, lesson: Inputs) -> Iterator[Law]:
    """The true gradient, and rates that change from pass to pass."""
    if "gamma" not in lesson:
        yield from _decaying(walks)
        return
    for name, schedules in SCHEDULES.items():
        if any(all(_is_scheduled(walk, schedule) for walk in walks) for schedule in schedules):
            yield Law((name,))
            return
    told = [(walk, rates(walk)) for walk in telling(walks)]
    fits = [(walk, fit) for walk, found in told if (fit := geometric(found)) and _is_geometric(walk, fit)]
    if len(fits) == len(told) >= 2:
        yield from _name_schedule([w for w, _ in fits], [f for _, f in fits], lesson)
    elif any(_is_floored(walk) for walk, _ in told) and all(_is_floored(w) or is_right(w) for w, _ in told):
        yield Law(("lr-floored",))
    elif len(told) >= 2 and all(_is_arithmetic(found) for _, found in told):
        yield Law(("linear-instead-of-exponential",))
        yield Law(("other-scheduler",))
    elif _same_factors(walks):
        yield Law(("other-scheduler",))


def _is_scheduled(walk: Walk, schedule: Schedule) -> bool:
    lr, gamma = walk.argument("lr"), walk.argument("gamma")
    return follows(walk, [schedule(lr, gamma, t) for t in range(len(walk.steps))])


def geometric(found: Sequence[float | None]) -> tuple[float, float] | None:
    """(a, q) of rates a qᵗ; None where there are too few of them."""
    told = [(t, rate) for t, rate in enumerate(found) if rate is not None and rate > 0]
    if len(told) < 3:
        return None
    (first, start), (last, end) = told[0], told[-1]
    ratio = (end / start) ** (1 / (last - first))
    return start / ratio**first, ratio


def _is_geometric(walk: Walk, fit: tuple[float, float]) -> bool:
    start, ratio = fit
    wanted = [start * ratio**t for t in range(len(walk.steps))]
    found = rates(walk)
    return all(rate is None or agree(rate, w) for rate, w in zip(found, wanted, strict=True))


def _is_arithmetic(found: Sequence[float | None]) -> bool:
    """Whether rates change by equal amounts."""
    told = [(t, rate) for t, rate in enumerate(found) if rate is not None]
    if len(told) < 4:
        return False
    (first, start), (last, end) = told[0], told[-1]
    slope = (end - start) / (last - first)
    size = max(abs(rate) for _, rate in told)
    return abs(slope) > 1e-3 * size and all(abs(rate - start - slope * (t - first)) < 1e-3 * size for t, rate in told)


def _name_schedule(walks: Walks, fits: Sequence[tuple[float, float]], lesson: Inputs) -> Iterator[Law]:
    lrs, gammas = [lr for lr, _ in fits], [gamma for _, gamma in fits]
    by_lr, by_gamma = relation(RATES, lrs, walks), relation(FACTORS, gammas, walks)
    if by_gamma == "" and by_lr is None and (name := typed_lr(lrs, lesson)):
        yield Law((name,), says(lrs, "lr"))
    elif by_gamma == "" and by_lr and by_lr in RATES and by_lr not in ("swapped", "constant-scaled-lr"):
        yield Law((by_lr,))
    elif by_lr == "" and by_gamma is None and is_constant(gammas):
        name = "hard-coded-gamma" if agree(gammas[0], lesson["gamma"]) else "wrong-gamma"
        yield Law((name,), says(gammas, "gamma"))
    elif by_lr is None and by_gamma is None and is_constant(lrs) and is_constant(gammas):
        second = "hard-coded-gamma" if agree(gammas[0], lesson["gamma"]) else "wrong-gamma"
        first = typed_lr(lrs, lesson)
        yield Law((first, second) if first else (second,))


def _is_floored(walk: Walk) -> bool:
    """Whether the right rates are kept from some pass on."""
    due, found = due_rates(walk), rates(walk)
    off = [t for t, rate in enumerate(found) if rate is not None and not agree(rate, due[t])]
    if not off or off[0] == 0:
        return False
    kept = [rate for rate in found[off[0] :] if rate is not None]
    return all(agree(rate, kept[0]) for rate in kept) and kept[0] > due[off[0]]


def _decaying(walks: Walks) -> Iterator[Law]:
    """A rate that shrinks where it should be constant: by the same factors in every run."""
    told = _same_factors(walks)
    if told and told[-1] < 0.995 * told[0] and all(b <= a * 1.002 for a, b in pairwise(told)) and told[0] <= 1.001:
        yield Law(("lr-decays",))


def _same_factors(walks: Walks) -> list[float]:
    """rate_t / lr of a walk along the true gradient, where it depends on t alone; empty where it does not."""
    factors: dict[int, float] = {}
    num_agreeing = 0
    for walk in telling(walks):
        for t, rate in enumerate(rates(walk, momentum_of(walk))):
            if rate is None:
                continue
            factor = rate / walk.argument("lr")
            if not factor > 0 or not agree(factors.setdefault(t, factor), factor, 2e-3):
                return []
            num_agreeing += factors[t] is not factor
    return [factors[t] for t in sorted(factors)] if num_agreeing >= 6 and len(factors) >= 4 else []
