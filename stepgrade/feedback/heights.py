"""The value of an objective at many points at once, for those who draw it.

Knows how a point's numbers become the arguments of an objective. Refuses to know what is drawn of it.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from stepgrade import compare
from stepgrade.exercise import Objective, load_program, run_program
from stepgrade.records import Call

KEPT = 400  # points at most of an answer that is kept: those of a walk or a curve; a grid is kept by who draws it
PROGRAM = """
def heights(f, points, sizes):
    def height(point):
        values, at = [], 0
        for size in sizes:
            values.append(point[at : at + size] if size else point[at])
            at += size or 1
        return torch.as_tensor(f(*values), dtype=torch.float64).reshape(())

    def height_alone(point):
        try:
            return height(point).item()
        except Exception:
            return float("nan")

    rows = torch.tensor(points, dtype=torch.float64)
    try:
        return torch.func.vmap(height)(rows)
    except Exception:  # it asks which of two numbers is larger
        return [height_alone(row) for row in rows]
"""


@dataclass(frozen=True, slots=True)
class Heights:
    """An objective as a function of many points; nan where it has no value."""

    objective: Objective

    def __call__(self, points: tuple[tuple[float, ...], ...]) -> tuple[float, ...]:
        """One height per point; points have the same length."""
        measure = _measure_and_keep if len(points) <= KEPT else _measure
        return measure(self.objective, points) if points else ()


def coordinates(objective: Objective, size: int) -> tuple[str, ...]:
    """The names of a point's numbers.

    Example:
        >>> coordinates(Objective("x[0] ** 2 + x[1]"), 2)
        ('x[0]', 'x[1]')
        >>> coordinates(Objective("x ** 2 - y", "x y"), 2)
        ('x', 'y')
    """
    names = objective.names
    if len(names) == size:
        return names
    return tuple(f"{names[0] if len(names) == 1 else variable_words(objective)}[{n}]" for n in range(size))


def variable_words(objective: Objective) -> str:
    """All variables of an objective as one thing: `x`, or `(x, y)`."""
    names = objective.names
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def _measure(objective: Objective, points: tuple[tuple[float, ...], ...]) -> tuple[float, ...]:
    for sizes in _sizes(objective, len(points[0])):
        inputs = (("f", objective.to_json()), ("points", [list(point) for point in points]), ("sizes", sizes))
        returned = run_program(load_program(PROGRAM), Call("heights", inputs, objective="")).returned
        rows = compare.to_rows(returned, 1)
        if not isinstance(rows, str) and len(rows) == len(points) and any(math.isfinite(y) for (y,) in rows):
            return tuple(y for (y,) in rows)
    return (math.nan,) * len(points)


_measure_and_keep = functools.lru_cache(maxsize=256)(_measure)


def _sizes(objective: Objective, size: int) -> list[list[int]]:
    """How many numbers each variable takes, the likeliest guess first; 0: it is a number, no vector of one."""
    names = objective.names
    if len(names) == size:
        by_text = [1 if f"{name}[" in objective.text else 0 for name in names]
        return [by_text, [1 - one for one in by_text]]
    return [[size]] if len(names) == 1 else []
