"""Walks of one variable, as tests write them."""

from __future__ import annotations

from stepgrade.records import Point


def points(*xs: float) -> tuple[Point, ...]:
    """Where an objective of one variable was called."""
    return tuple((float(x),) for x in xs)
