"""One wrong rate for all passes, or one wrong momentum.

Knows how a constant may be made from the arguments, by mistake. Refuses to know rates that change.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from stepgrade.exercise import Inputs

from ..walks import Walk, agree, constant_rate, rate_and_momentum
from .law import Law, Walks, is_constant, momentum_of, telling

Relation = Callable[[Inputs], float]
RATES: dict[str, Relation] = {
    "": lambda a: a["lr"],
    "wrong-sign": lambda a: -a["lr"],
    "lr-squared": lambda a: a["lr"] ** 2,
    "lr-doubled": lambda a: 2 * a["lr"],
    "lr-halved": lambda a: a["lr"] / 2,
    "lr-divided-by-iterations": lambda a: a["lr"] / a["iterations"],
    "divided-by-lr": lambda a: 1 / a["lr"],
    "momentum-scales-lr": lambda a: a["lr"] * a.get("momentum", math.nan),
    "lr-times-one-minus-momentum": lambda a: a["lr"] * (1 - a.get("momentum", math.nan)),
    "constant-scaled-lr": lambda a: a["lr"] * a.get("gamma", math.nan),
    "swapped": lambda a: a.get("momentum", a.get("gamma", math.nan)),
}
FACTORS: dict[str, Relation] = {
    "": lambda a: a.get("momentum", a.get("gamma", 1.0)),
    "one-minus": lambda a: 1 - a.get("momentum", a.get("gamma", math.nan)),
    "none": lambda a: 1.0 if "gamma" in a else 0.0,
    "swapped": lambda a: a["lr"],
    "twice": lambda a: a.get("gamma", math.nan) ** 2,
    "grows": lambda a: 1 / a.get("gamma", math.nan),
}


def relation(relations: dict[str, Relation], found: Sequence[float], walks: Walks) -> str | None:
    """The name of the relation between arguments and a fitted number that holds in all runs; None: there is none."""
    for name, wanted in relations.items():
        if all(agree(value, wanted(walk.inputs)) for value, walk in zip(found, walks, strict=True)):
            return name
    return None


def constants(walks: Walks, lesson: Inputs) -> Iterator[Law]:
    """One rate for all passes, and one momentum."""
    walks = telling(walks)
    if len(walks) < 2 or "gamma" in lesson:
        return
    fits = [_fit(walk) for walk in walks]
    if any(fit is None for fit in fits):
        return
    lrs, momenta = [f[0] for f in fits if f], [f[1] for f in fits if f]
    by_lr, by_momentum = relation(RATES, lrs, walks), relation(FACTORS, momenta, walks)
    if "momentum" not in lesson:
        by_momentum = "" if all(abs(m) < 1e-6 for m in momenta) else "added"
    yield from _name_constants(by_lr, by_momentum, lrs, momenta, lesson)


def _fit(walk: Walk) -> tuple[float, float] | None:
    rate = constant_rate(walk, 0.0)
    if rate is not None:
        return rate, 0.0
    momentum = momentum_of(walk)
    rate = constant_rate(walk, momentum) if momentum else None
    return (rate, momentum) if rate is not None else rate_and_momentum(walk)


def _name_constants(
    by_lr: str | None, by_momentum: str | None, lrs: Sequence[float], momenta: Sequence[float], lesson: Inputs
) -> Iterator[Law]:
    by_hand = typed_lr(lrs, lesson) if by_lr is None else by_lr
    typed_momentum = by_momentum
    if by_momentum is None and is_constant(momenta):
        typed_momentum = "hard-coded-momentum" if agree(momenta[0], lesson["momentum"]) else "wrong-momentum"
    if (by_lr, by_momentum) == ("swapped", "swapped"):
        yield Law(("lr-momentum-swapped",))
    elif by_lr in ("momentum-scales-lr", "lr-times-one-minus-momentum") and by_momentum in ("", "none"):
        yield Law((by_lr,))
    elif by_hand and by_lr != "swapped" and by_momentum == "":
        yield Law((by_hand,), says(lrs, "lr") if by_lr is None else "")
    elif by_lr == "" and typed_momentum:
        names = {"one-minus": "one-minus-momentum", "none": "momentum-lost", "added": "momentum-added"}
        if typed_momentum in ("added", "hard-coded-momentum", "wrong-momentum") and is_constant(momenta):
            yield Law((names.get(typed_momentum, typed_momentum),), says(momenta, "momentum"))
        elif typed_momentum in names and typed_momentum != "added":
            yield Law((names[typed_momentum],))
    elif by_hand in TYPED and typed_momentum in TYPED:
        yield Law((by_hand, typed_momentum))


TYPED = ("hard-coded-lr", "wrong-lr", "hard-coded-momentum", "wrong-momentum", "hard-coded-gamma", "wrong-gamma")


def typed_lr(lrs: Sequence[float], lesson: Inputs) -> str | None:
    if not is_constant(lrs):
        return None
    if agree(lrs[0], lesson["lr"]):
        return "hard-coded-lr"
    if agree(lrs[0], 1.0):
        return "lr-missing"
    return "optimizer-default-lr" if agree(lrs[0], 1e-3) else "wrong-lr"


def says(found: Sequence[float], name: str) -> str:
    return f"Your numbers are those of {name} = {found[0]:.4g} in every run."
