"""What a law is, and what a right walk does.

Knows the exercise's rule with its own arguments. Refuses to know wrong ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..walks import Walk, agree, follows


@dataclass(frozen=True, slots=True)
class Law:
    """A law that all walks obey.

    Attributes:
        names: of mistakes; more than one where two arguments are wrong at once.
        remark: what the numbers say, for the student; "" where the name says it all.
    """

    names: tuple[str, ...]
    remark: str = ""


Walks = Sequence[Walk]


def due_rates(walk: Walk) -> list[float]:
    """The rates that the exercise asks for, one per step."""
    lr, gamma = walk.argument("lr"), walk.argument("gamma", 1.0)
    return [lr * gamma**t for t in range(len(walk.xs))]


def momentum_of(walk: Walk) -> float:
    """The momentum that the exercise asks for."""
    return walk.argument("momentum")


def is_right(walk: Walk) -> bool:
    """Whether every step is the right one from where the walk was."""
    return follows(walk, due_rates(walk), momentum_of(walk))


def telling(walks: Walks) -> list[Walk]:
    """Walks that say something: some steps, and not all of them tiny."""
    return [w for w in walks if len(w.xs) >= 4 and any(abs(s) > 1e-3 for s in w.steps)]


def is_constant(found: Sequence[float]) -> bool:
    """Whether a fitted number is the same in all runs."""
    return all(agree(value, found[0]) for value in found)
