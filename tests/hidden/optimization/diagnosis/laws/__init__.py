"""Mistakes that have a free constant: recognised by the rule that each step of a walk obeys, whatever the constant is.

A program replays one learning rate that was typed in; a law recognises all of them. Knows step rules by the names of
mistakes. Refuses to know what was recorded, and names nothing unless every run obeys the same law.
"""

from __future__ import annotations

from stepgrade.exercise import Inputs

from .constants import TYPED, constants
from .law import Law, Walks, is_right
from .schedules import schedules
from .shapes import (
    bounds,
    gradients,
    is_bfloat16,
    is_difference_quotient,
    is_float16,
    memories,
    precision,
)
from .starts import next_point, starts

__all__ = ["TYPED", "Law", "is_bfloat16", "is_difference_quotient", "is_float16", "is_right", "next_point", "obeyed"]


def obeyed(walks: Walks, lesson: Inputs) -> list[Law]:
    """The laws that a student's walks obey, the simplest first; an empty list where none is known.

    Args:
        walks: one per input; the lesson's own first.
        lesson: the lesson's inputs: constants from there are called hard-coded.
    """
    for find in (starts, constants, schedules, gradients, bounds, memories, precision):
        laws = list(find(walks, lesson))
        if laws:
            return laws
    return []
