"""Draws inputs that are like those an exercise has: by the kinds of their values, never by their names.

Knows numbers, texts, lists and objectives, and what must stay true of them. Refuses to know what an argument is for,
and which inputs are good.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from stepgrade.exercise import Exercise, Objective

SHIFTS, FACTORS = (-2.0, -1.0, 0.5, 1.5), (0.4, 0.7, 1.6)  # of an objective: where it lies, how steep it is
NEAR, TWICE = 3, 2.0  # a whole number is moved by so much at most, another one scaled by so much
FEW = 3  # different values in a list that repeats them: they stand for something, and stay
SPREAD = 0.15  # of a number in a list, by which it is moved
TRIES = 20  # to find a number that no other argument has


def draw(exercise: Exercise, dice: Random) -> Iterator[Mapping[str, Any]]:
    """Inputs without end; each begins with a set that the exercise has, so that what belongs together stays so."""
    while True:
        base = dice.choice(exercise.inputs)
        lengths = _lengths(exercise, base, dice)
        drawn: dict[str, Any] = {}
        for name, value in base.items():
            known = [inputs[name] for inputs in exercise.inputs if name in inputs]
            if isinstance(value, list | tuple):
                drawn[name] = draw_list(list(value), lengths[name], dice)
            else:
                drawn[name] = _unlike_others(value, known, list(drawn.values()), dice)
        yield drawn


def _unlike_others(value: Any, known: Sequence[Any], others: Sequence[Any], dice: Random) -> Any:
    """A value that no other argument has, where that can be: equal numbers hide which of them was used."""
    found = [draw_value(value, known, dice) for _ in range(TRIES)]
    return next((v for v in found if not _is_number(v) or v not in [o for o in others if _is_number(o)]), found[0])


def draw_value(value: Any, known: Sequence[Any], dice: Random) -> Any:
    """A value like this one.

    Args:
        value: of the inputs that are varied.
        known: all that the exercise has for this argument.
        dice: what draws.
    """
    if isinstance(value, Objective):
        return vary_objective(dice.choice([v for v in known if isinstance(v, Objective)]), dice)
    numbers = [v for v in known if _is_number(v)]
    if not _is_number(value) or len(numbers) < len(known):
        return dice.choice(known)
    if all(isinstance(v, int) for v in numbers):
        return draw_whole(value, numbers, dice)
    return draw_number(dice.choice(numbers), numbers, dice)


def draw_whole(value: int, known: Sequence[int], dice: Random) -> int:
    """A whole number near; it may be negative, or less than 1, where the exercise has such a one."""
    least = 1 if min(known) > 0 else 0 if min(known) == 0 else min(known) - NEAR
    return max(least, value + dice.randint(-min(NEAR, max(1, abs(value) // 2)), NEAR))


def draw_number(value: float, known: Sequence[float], dice: Random) -> float:
    """A number of the same size, of two digits; from 0 to 1 where all are, and of both signs where they have both."""
    factor = TWICE ** dice.uniform(-1, 1)
    if all(0 <= v <= 1 for v in known):
        drawn = 1 - _short((1 - value) * factor) if value > 0.5 else min(value * factor, 0.95)
    else:
        drawn = value * factor
    drawn = _short(drawn) if abs(drawn) < 0.9 or abs(drawn) > 1 else round(drawn, 8)
    return -drawn if min(known) < 0 < max(known) and dice.random() < 0.5 else drawn


def vary_objective(objective: Objective, dice: Random) -> Objective:
    """The same objective, or one that lies elsewhere or is steeper, in its own variables."""
    shift, factor = dice.choice(SHIFTS), dice.choice(FACTORS)
    moved = objective.text
    for name in objective.names:
        there = rf"(\g<0> {'-' if shift > 0 else '+'} {abs(shift):g})"
        moved = re.sub(rf"(?<![\w.]){name}\b(?:\[\d+\])?", there, moved)
    return replace(objective, text=dice.choice([objective.text, moved, f"{factor:g} * ({objective.text})"]))


# -- lists -------------------------------------------------------------------------------------------------------------

Rows = Sequence[int]
"""Which entries of a list are taken, in order; beyond its end: new ones."""


def _lengths(exercise: Exercise, base: Mapping[str, Any], dice: Random) -> dict[str, Rows]:
    """The entries that each list takes: the same for lists that are equally long, for these belong together.

    A list that is equally long in all inputs keeps its length: something else may depend on it.
    """
    lists = {name: len(value) for name, value in base.items() if isinstance(value, list | tuple)}
    rows: dict[str, Rows] = {}
    for length in dict.fromkeys(lists.values()):
        together = [name for name, own in lists.items() if own == length]
        given = {len(i[n]) for i in exercise.inputs for n in together if isinstance(i.get(n), list | tuple)}
        chosen: Rows = range(length)
        if len(given) > 1 and length:
            wanted = dice.randint(max(1, min(given) - 1), max(given) + 1)
            chosen = sorted(dice.sample(range(length), min(wanted, length))) + list(range(length, wanted))
        rows |= dict.fromkeys(together, chosen)
    return rows


def draw_list(value: Sequence[Any], rows: Rows, dice: Random) -> list[Any]:
    """A list of these entries, moved a little; whole numbers stay whole, and what ascends goes on ascending."""
    longer = list(value)
    while rows and len(longer) <= max(rows):
        longer.append(_next(longer, len(value), dice))
    taken = [longer[row] for row in rows]
    numbers = list(_flat(value))
    if 2 * len(set(numbers)) < len(numbers) and len(set(numbers)) <= FEW:
        return taken
    moved = [_moved(item, numbers, dice) for item in taken]
    is_ascending = all(_is_number(v) for v in value) and all(a < b for a, b in itertools.pairwise(value))
    if is_ascending:
        moved = sorted(set(moved))
        return moved if len(moved) == len(taken) else taken
    return moved


def _next(value: Sequence[Any], num_given: int, dice: Random) -> Any:
    """One entry more: beyond the last where they ascend, else one of those that are there."""
    last, before = value[-1], value[-2] if len(value) > 1 else value[-1]
    if _is_number(last) and _is_number(before) and last > before and sorted(value) == list(value):
        return last + (last - before)
    return value[dice.randrange(num_given)]


def _moved(item: Any, numbers: Sequence[float], dice: Random) -> Any:
    if isinstance(item, list | tuple):
        return [_moved(part, numbers, dice) for part in item]
    if all(isinstance(number, int) for number in numbers):
        return item + dice.randint(-1, 1) if item > 1 or min(numbers) < 0 else item
    scale = max(map(abs, numbers)) * SPREAD
    return float(f"{item + dice.uniform(-scale, scale):.3g}")


def _flat(value: Any) -> Iterator[float]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _flat(item)
    else:
        yield value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: float) -> float:
    return float(f"{value:.2g}")
