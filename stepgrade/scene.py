"""Chooses what a picture of a run shows: what is in view, where a walk is cut, how finely a number is kept.

Knows points, views and levels. Refuses to know ink and paper, whose walk it is beyond "torch" and "yours", and which
exercise it belongs to. The objective is a function of many points at once, which is asked and never looked into.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Point = tuple[float, ...]
Points = tuple[tuple[float, float], ...]  # shape (num_points, 2)
Views = tuple[tuple[float, float], tuple[float, float]]  # of x and of y, each from low to high
Landscape = Callable[[tuple[Point, ...]], Sequence[float]]
"""f at many points at once, nan where it has no value; to be hashable, equal objectives equal."""

CURVE_POINTS, GRID = 121, (61, 49)  # how finely the objective is drawn
NUM_LEVELS, LARGE = 9, 60.0  # lines of equal height; the range, by its lowest tenth, from which their logarithms count
FAR = 8  # widths of torch's own path: so far off the first step that differs is still shown
ASPECT, MOST_WIDENED = 1.17, 4.0  # of the panel of contours; times that a view is widened to have equal units in both
HIGHEST = 1e100  # that a contour may lie: above, the library's own ends of the world begin
MOST_COLUMNS = 4  # that are shown at once


@dataclass(frozen=True, slots=True)
class Series:
    """One recorded column against the steps. None: no number there."""

    name: str
    reference: tuple[float | None, ...]  # shape (num_passes,)
    yours: tuple[float | None, ...]
    is_parted: bool = False  # the first gap is in this column


@dataclass(frozen=True, slots=True)
class Surface:
    """An objective of two numbers on a grid, and the heights at which lines are drawn."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    heights: tuple[tuple[float, ...], ...]  # shape (num_ys, num_xs); nan where there is none
    levels: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """The objective, and both walks on it: a curve for one number, contours for two."""

    names: tuple[str, str]  # of the axes
    curve: Points  # empty for two numbers
    surface: Surface | None  # None for one number
    path: Points  # torch's iterates
    walk: Points  # the student's, cut where they leave the view
    parted: int | None  # the point of `walk` at which it parts from `path`
    x_view: tuple[float, float]
    y_view: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a picture shows; equal scenes are drawn once."""

    ground: Ground | None
    series: tuple[Series, ...]
    step: int | None = None  # the first step at which a recorded column differs


def make_scene(ground: Ground | None, series: Sequence[Series], step: int | None = None) -> Scene:
    """A picture's content: the first few columns, the one that differs among them, as fine as is seen."""
    shown = choose_columns(len(series), next((n for n, s in enumerate(series) if s.is_parted), 0), MOST_COLUMNS)
    return Scene(ground, tuple(_rounded_series(series[n]) for n in shown), step)


def choose_columns(num: int, differing: int, most: int) -> list[int]:
    """The first columns, and the one that differs, where there are more than can be shown."""
    first = list(range(min(num, most)))
    return first if differing < most else [*first[:-1], differing]


# -- the objective and the walks on it ---------------------------------------------------------------------------------


def make_ground(
    landscape: Landscape,
    path: Sequence[Point],
    walk: Sequence[Point],
    names: tuple[str, str],
    parted: int | None = None,
) -> tuple[Ground | None, int | None]:
    """Choose what is in view of the objective, and cut and round the walks to it.

    Args:
        landscape: the objective.
        path: torch's iterates, shape (num_passes, 1 or 2).
        walk: the student's, in the order of the calls; empty where they could not be read.
        names: of the axes: of both numbers, or of the one and of the objective.
        parted: index into `walk` of the first point off the path.

    Returns:
        The ground, None where points have neither one number nor two; and the index of the first point of `walk` that
        is out of view (None: all are in it).
    """
    size = len(path[0]) if path else 0
    if size not in (1, 2):
        return None, None
    nowhere = (math.nan,) * size
    seen = tuple(p if len(p) == size else nowhere for p in walk[: 3 * len(path) + 5])
    on_path, steps = _flat(landscape, path), _flat(landscape, seen)
    core = [p for p in on_path if _is_finite(p)]
    target = steps[parted] if parted is not None and parted < len(steps) else (math.nan, math.nan)
    x_view = view_of([x for x, _ in core], [x for x, _ in steps], 0.15, target[0])
    curve: Points = ()
    surface = None
    if size == 1:
        curve, y_view = _curve(landscape, x_view, core, steps, target[1])
    else:
        y_view = view_of([y for _, y in core], [y for _, y in steps], 0.15, target[1])
        x_view, y_view = map(_snapped, with_equal_units(x_view, y_view))
        surface = make_surface(landscape, x_view, y_view)
    inside, left_at = _cut(steps, x_view, y_view)
    is_seen = parted is not None and parted < len(inside) and parted != left_at
    ground = Ground(
        names=names,
        curve=curve,
        surface=surface,
        path=_rounded(core),
        walk=_rounded(inside),
        parted=parted if is_seen else None,
        x_view=_short_view(x_view),
        y_view=_short_view(y_view),
    )
    return ground, left_at


def _flat(landscape: Landscape, points: Sequence[Point]) -> list[tuple[float, float]]:
    """Points as they lie on paper: of one number beside its height; two numbers are a place already."""
    if points and len(points[0]) == 2:
        return [(p[0], p[1]) for p in points]
    finite = tuple(dict.fromkeys(p for p in points if _is_finite(p)))
    heights = dict(zip(finite, landscape(finite), strict=True)) if finite else {}
    return [(p[0], heights.get(p, math.nan)) for p in points]


def _curve(
    landscape: Landscape,
    x_view: tuple[float, float],
    core: Sequence[tuple[float, float]],
    steps: Sequence[tuple[float, float]],
    target: float,
) -> tuple[Points, tuple[float, float]]:
    """The curve, and the view of its heights: the floor of the objective is in it."""
    curve = [p for p in _flat(landscape, [(x,) for x in _grid(x_view, CURVE_POINTS)]) if _is_finite(p)]
    lowest = min((y for _, y in core), default=math.nan)
    low = [y for _, y in curve if y < lowest]
    seen = [y for x, y in steps if x_view[0] <= x <= x_view[1]]
    return _rounded(curve), view_of([y for _, y in core], seen + low, 0.1, target)


def view_of(
    core: Sequence[float], others: Sequence[float], room: float, target: float = math.nan, least: float = 0.0
) -> tuple[float, float]:
    """The whole core, of the others what is at most one core's width away, and the target if it is not very far."""
    low, high = (min(core), max(core)) if core else (-1.0, 1.0)
    span = max(high - low, least)
    if span <= 1e-6 * max(abs(low), abs(high), 1e-6):  # it stands still
        span = max(abs(high), 1.0)
    near = [v for v in others if low - span <= v <= high + span]
    near += [target] if low - FAR * span <= target <= high + FAR * span else []
    low, high = min([low, *near]), max([high, *near])
    pad = room * max(high - low, span)
    return low - pad, high + pad


def with_equal_units(x_view: tuple[float, float], y_view: tuple[float, float]) -> Views:
    """Both views, the narrower one widened: with equal units a gradient stands upright on its contour.

    Where one is far longer than the other it is widened so far alone that a crooked step is still seen.
    """
    wide, tall = x_view[1] - x_view[0], (y_view[1] - y_view[0]) * ASPECT
    times = max(wide, tall) / min(wide, tall)
    by = times if times <= MOST_WIDENED else max(times / (5 * MOST_WIDENED), 1.0)
    return (_widened(x_view, by), y_view) if wide < tall else (x_view, _widened(y_view, by))


def _widened(view: tuple[float, float], by: float) -> tuple[float, float]:
    middle, half = (view[0] + view[1]) / 2, by * (view[1] - view[0]) / 2
    return middle - half, middle + half


def _snapped(view: tuple[float, float]) -> tuple[float, float]:
    """The view, a little wider, between round numbers: walks that differ by little share a grid."""
    unit = 10.0 ** math.floor(math.log10(view[1] - view[0])) / 50
    return _short_view((math.floor(view[0] / unit) * unit, math.ceil(view[1] / unit) * unit))


def _cut(
    steps: Sequence[tuple[float, float]], x_view: tuple[float, float], y_view: tuple[float, float]
) -> tuple[Points, int | None]:
    """The points up to the first that is out of view, which is drawn in to just beyond the frame."""
    for t, (x, y) in enumerate(steps):
        if x_view[0] <= x <= x_view[1] and y_view[0] <= y <= y_view[1]:
            continue
        if t == 0 or not (math.isfinite(x) and math.isfinite(y)):
            return tuple(steps[:t]), t
        last_x, last_y = steps[t - 1]
        far = max(abs(x - last_x) / (x_view[1] - x_view[0]), abs(y - last_y) / (y_view[1] - y_view[0]), 2.0) / 2.0
        return (*steps[:t], (last_x + (x - last_x) / far, last_y + (y - last_y) / far)), t
    return tuple(steps), None


# -- contours ----------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=64)
def make_surface(
    landscape: Landscape, x_view: tuple[float, float], y_view: tuple[float, float], grid: tuple[int, int] = GRID
) -> Surface:
    """An objective of two numbers on a grid over these views."""
    xs, ys = _grid(x_view, grid[0]), _grid(y_view, grid[1])
    flat = landscape(tuple((x, y) for y in ys for x in xs))
    heights = tuple(h if abs(h) < HIGHEST else math.nan for h in flat)
    rows = tuple(heights[n : n + len(xs)] for n in range(0, len(heights), len(xs)))
    return Surface(xs, ys, rows, _levels([h for h in heights if h == h]))


def _levels(heights: Sequence[float]) -> tuple[float, ...]:
    """Heights of contours above the lowest: with the square of their number, by logarithms where the range is large.

    Around a minimum a smooth objective is a square: then the lines are equally far from one another.
    """
    above = sorted(heights)
    if not above or above[-1] - above[0] <= 1e-9 * max(abs(above[0]), abs(above[-1]), 1e-300):
        return ()
    low, span = above[0], above[-1] - above[0]
    tenth = above[len(above) // 10] - low
    if span > LARGE * tenth:
        first = max(tenth / 30, 1e-9 * span)
        parts = [(first / span) ** (1 - n / NUM_LEVELS) for n in range(NUM_LEVELS)]
    else:
        parts = [(n / (NUM_LEVELS + 1)) ** 2 for n in range(1, NUM_LEVELS + 1)]
    return tuple(low + span * part for part in parts)


def contour_lines(surface: Surface) -> tuple[Points, ...]:
    """The lines of equal height, for those who draw without matplotlib."""
    if not surface.levels:
        return ()
    from contourpy import contour_generator  # what matplotlib itself draws contours by

    generator = contour_generator(surface.xs, surface.ys, surface.heights)
    found: list[Any] = [line for level in surface.levels for line in generator.lines(level) or ()]
    return tuple(tuple((float(x), float(y)) for x, y in line) for line in found)


# -- as fine as is seen ------------------------------------------------------------------------------------------------


def _grid(view: tuple[float, float], num: int) -> tuple[float, ...]:
    return tuple(view[0] + (view[1] - view[0]) * n / (num - 1) for n in range(num))


def _is_finite(point: Sequence[float]) -> bool:
    return all(map(math.isfinite, point))


def _short(value: float) -> float:
    return float(f"{value:.5g}")  # finer differences are not seen, and would be drawn anew


def _short_view(view: tuple[float, float]) -> tuple[float, float]:
    return _short(view[0]), _short(view[1])


def _rounded(points: Sequence[tuple[float, float]]) -> Points:
    return tuple((_short(x), _short(y)) for x, y in points)


def _rounded_series(series: Series) -> Series:
    def tidy(values: Sequence[float | None]) -> tuple[float | None, ...]:
        return tuple(None if v is None or not math.isfinite(v) else _short(v) for v in values)

    return Series(series.name, tidy(series.reference), tidy(series.yours), series.is_parted)
