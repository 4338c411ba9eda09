"""Draws walks on an objective, or columns against steps, as SVG that a page can style, light or dark.

Knows coordinates, paths and ticks. Refuses to know students, exercises and mistakes. Numbers alone go into the drawing,
and words only after escaping.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from stepgrade.scene import Ground, Points, Series, Views, contour_lines

SCALE = 10  # units of the drawing in one unit of its frame: whole numbers are short
MOST_DOTS = 12  # walks whose points are marked at once: the most frequent ones; more would be fog
ROOM_FOR_NAME = 30  # of the x axis, beside its last number
TALL = 345  # of a panel with contours: units are equal in both directions there
FAR = 1.0  # widths of torch's own walk that a class may leave it by and still be in view


@dataclass(frozen=True, slots=True)
class ClassWalk:
    """One walk that some of the class took, or what they recorded."""

    cluster: str  # its id
    points: Points  # shape (num_points, 2); nan where there is no number
    num_students: int
    is_right: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """A plot's rectangle in the drawing, and what it shows."""

    views: Views
    width: int = 400
    height: int = 250
    left: int = 38
    bottom: int = 24
    top: int = 17
    right: int = 6
    is_log: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Of the plot, in units of the drawing."""
        return (self.width - self.left - self.right) * SCALE, (self.height - self.top - self.bottom) * SCALE

    def place(self, point: tuple[float, float]) -> tuple[int, int]:
        """Where a point lies in the plot; far outside, just beyond its edge."""
        (left, right), (low, high) = self.views
        wide, tall = self.size
        across, up = (point[0] - left) / (right - left), (point[1] - low) / (high - low)
        return round(min(max(across, -1), 2) * wide), round((1 - min(max(up, -1), 2)) * tall)


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What the walks of a class are drawn on."""

    names: tuple[str, str]  # of the axes
    path: Points  # torch's walk, or what it recorded
    views: Views
    curve: Points = ()  # of an objective of one number
    contours: tuple[Points, ...] = ()  # of one of two
    is_series: bool = False  # a column against the steps
    is_log: bool = False  # the column's logarithms


def draw_class(backdrop: Backdrop, walks: Sequence[ClassWalk], about: str) -> Markup:
    """All walks of a class, faint, on the objective, with torch's own over them.

    Args:
        backdrop: what they are drawn on.
        walks: one per cluster.
        about: what the picture shows, for those who do not see it.
    """
    frame = Frame(backdrop.views, height=TALL if backdrop.contours else 250, is_log=backdrop.is_log)
    most = max((walk.num_students for walk in walks), default=1)
    ordered = sorted(walks, key=lambda walk: walk.num_students)
    dotted = {walk.cluster for walk in ordered[-MOST_DOTS:]}
    inside = _objective(frame, backdrop.curve, backdrop.contours)
    inside += [_class_walk(frame, walk, most, walk.cluster in dotted) for walk in ordered]
    inside += [_torch(frame, backdrop.path)]
    return _svg(frame, inside, about, *backdrop.names, is_whole=backdrop.is_series)


def _objective(frame: Frame, curve: Points, contours: Sequence[Points]) -> list[Markup]:
    drawn = [("curve", curve)] if curve else []
    lines = [*drawn, *(("contour", line) for line in contours)]
    return [Markup('<path class="{}" d="{}"/>').format(kind, _line(frame, points)) for kind, points in lines]


def _class_walk(frame: Frame, walk: ClassWalk, most: int, has_dots: bool) -> Markup:
    seen = _until_gone(frame, walk.points)
    share = math.sqrt(walk.num_students / most)
    kinds = "walk" + " right" * walk.is_right + " rare" * (not has_dots)
    return Markup(
        '<g class="{}" data-walk="{}" style="--o:{:.2f}"><path d="{}"/><path class="dots" d="{}"/></g>'
    ).format(kinds, walk.cluster, 0.26 + 0.6 * share, _line(frame, seen), _dots(frame, seen))


def view_along(axis: int, path: Points, walks: Sequence[ClassWalk]) -> tuple[float, float]:
    """Torch's whole walk, and of the class's what is at most one width of it away; along one of both axes."""
    spread = [point[axis] for walk in walks for point in walk.points if math.isfinite(point[axis])]
    return _view([point[axis] for point in path], spread, 0.08)


def view_of_values(
    path: Points, curve: Points, walks: Sequence[ClassWalk], x_view: tuple[float, float]
) -> tuple[float, float]:
    """The same for f, where x is in view; the floor of the objective always is."""
    seen = [y for walk in walks for x, y in walk.points if x_view[0] <= x <= x_view[1] and math.isfinite(y)]
    floor = [y for _, y in curve if y < min(p[1] for p in path)]
    return _view([y for _, y in path], seen + floor, 0.08)


def _view(core: Sequence[float], others: Sequence[float], room: float) -> tuple[float, float]:
    low, high = min(core), max(core)
    span = high - low if high - low > 1e-6 * max(abs(low), abs(high), 1e-6) else max(abs(high), 1.0)
    near = [v for v in others if low - FAR * span <= v <= high + FAR * span]
    low, high = min([low, *near]), max([high, *near])
    pad = room * max(high - low, span)
    return low - pad, high + pad


# -- one mistake -------------------------------------------------------------------------------------------------------


def draw_walk(ground: Ground, about: str) -> Markup:
    """One walk beside torch's on the objective; the step at which they part is ringed."""
    contours = contour_lines(ground.surface) if ground.surface is not None else ()
    frame = Frame((ground.x_view, ground.y_view), width=300, height=260 if contours else 190)
    inside = [*_objective(frame, ground.curve, contours), _torch(frame, ground.path)]
    if ground.walk:
        inside += [_theirs(frame, ground.walk)]
    if ground.parted is not None:
        inside += [_ring(frame, ground.walk[ground.parted], f"step {ground.parted}")]
    return _svg(frame, inside, about, *ground.names)


def draw_series(series: Series, step: int | None, about: str) -> Markup:
    """One recorded column against the steps, beside torch's; the first step that differs is ringed."""
    known = [v for v in series.reference if v is not None]
    yours = series.yours[: len(series.reference) + 2]
    both = [*known, *(v for v in yours if v is not None)]
    is_log = bool(known) and min(both) > 0 and max(known) > 100 * min(known)
    scaled = [math.log10(v) if is_log else v for v in known] or [0.0]
    others = [math.log10(v) if is_log else v for v in both]
    last = max(len(series.reference), len(yours)) - 1
    frame = Frame(((-0.6, last + 0.6), _view(scaled, others, 0.08)), width=300, height=190, is_log=is_log)
    inside = [_torch(frame, _against_steps(series.reference, is_log))]
    theirs = _against_steps(yours, is_log)
    if any(math.isfinite(y) for _, y in theirs):
        inside += [_theirs(frame, _until_gone(frame, theirs))]
    if step is not None and step < len(theirs) and math.isfinite(theirs[step][1]):
        inside += [_ring(frame, theirs[step], f"step {step}")]
    return _svg(frame, inside, about, "step", series.name, is_whole=True)


def _against_steps(values: Sequence[float | None], is_log: bool) -> Points:
    scale = math.log10 if is_log else float
    return tuple((float(t), math.nan if v is None else scale(v)) for t, v in enumerate(values))


# -- marks -------------------------------------------------------------------------------------------------------------


def _torch(frame: Frame, points: Points) -> Markup:
    return Markup('<g class="torch"><path d="{}"/><path class="rings" d="{}"/><path class="holes" d="{}"/></g>').format(
        _line(frame, points), _dots(frame, points), _dots(frame, points)
    )


def _theirs(frame: Frame, points: Points) -> Markup:
    line, dots = _line(frame, points), _dots(frame, points)
    return Markup('<g class="theirs"><path d="{}"/><path class="dots" d="{}"/></g>').format(line, dots)


def _ring(frame: Frame, point: tuple[float, float], words: str) -> Markup:
    """Marks a step by shape and words, not by colour alone."""
    (x, y), (wide, tall) = frame.place(point), frame.size
    x, y = min(max(x, 70), wide - 70), min(max(y, 70), tall - 70)
    anchor, at = ("start", x + 95) if x < wide * 0.7 else ("end", x - 95)
    low = y - 75 if y > 220 else y + 35
    return Markup(
        '<circle class="ring" cx="{}" cy="{}" r="62"/><text class="step" x="{}" y="{}" text-anchor="{}">{}</text>'
    ).format(x, y, at, low, anchor, words)


def _until_gone(frame: Frame, points: Points) -> Points:
    """A walk up to the first point that is out of view, drawn to just beyond the edge."""
    (left, right), (low, high) = frame.views
    seen: list[tuple[float, float]] = []
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)):
            break
        seen.append((x, y))
        if not (left <= x <= right and low <= y <= high):
            break
    return tuple(seen)


def _line(frame: Frame, points: Points) -> str:
    """The points joined, as short as SVG can say it: one absolute start, then differences."""
    parts: list[str] = []
    for run in _finite_runs(points):
        placed = [frame.place(point) for point in run]
        parts.append("M{} {}".format(*placed[0]))
        parts.append("l" + (" ".join(f"{c - a} {d - b}" for (a, b), (c, d) in itertools.pairwise(placed)) or "0 0"))
    return "".join(parts)


def _dots(frame: Frame, points: Points) -> str:
    """A dot at each point: a line of no length has round ends."""
    placed = [frame.place(point) for run in _finite_runs(points) for point in run]
    return "".join(f"M{x} {y}h0" for x, y in placed)


def _finite_runs(points: Points) -> Iterator[list[tuple[float, float]]]:
    for is_finite, run in itertools.groupby(points, key=lambda p: math.isfinite(p[0]) and math.isfinite(p[1])):
        if is_finite:
            yield list(run)


# -- frame and ticks ---------------------------------------------------------------------------------------------------


def _svg(
    frame: Frame, inside: Sequence[Markup], about: str, x_name: str, y_name: str, is_whole: bool = False
) -> Markup:
    wide, tall = frame.size
    return Markup(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}'
        '<svg x="{}" y="{}" width="{}" height="{}" viewBox="0 0 {} {}">{}</svg>{}</svg>'
    ).format(
        frame.width,
        frame.height,
        about,
        _grid(frame, is_whole),
        frame.left,
        frame.top,
        wide // SCALE,
        tall // SCALE,
        wide,
        tall,
        Markup("").join(inside),
        _names(frame, x_name, y_name),
    )


def _grid(frame: Frame, is_whole: bool) -> Markup:
    """Lines and numbers at round values."""
    (x_view, y_view), (right, low) = frame.views, (frame.width - frame.right, frame.height - frame.bottom)
    parts: list[Markup] = []
    for value in _ticks(*x_view, num=6, is_whole=is_whole):
        x = frame.left + frame.place((value, y_view[0]))[0] / SCALE
        parts.append(Markup('<path class="grid" d="M{:g} {}V{}"/>').format(x, frame.top, low))
        if x < right - ROOM_FOR_NAME:
            text = Markup('<text x="{:g}" y="{}" text-anchor="middle">{}</text>')
            parts.append(text.format(x, low + 13, _label(value)))
    for value in _ticks(*y_view, num=5, is_whole=frame.is_log):
        y = frame.top + frame.place((x_view[0], value))[1] / SCALE
        shown = _label(10**value if frame.is_log else value)
        parts.append(Markup('<path class="grid" d="M{} {:g}H{}"/>').format(frame.left, y, right))
        parts.append(Markup('<text x="{}" y="{:g}" text-anchor="end">{}</text>').format(frame.left - 5, y + 3.5, shown))
    return Markup("").join(parts)


def _names(frame: Frame, x_name: str, y_name: str) -> Markup:
    return Markup(
        '<text class="axis" x="{}" y="{}" text-anchor="end">{}</text><text class="axis" x="{}" y="{}">{}</text>'
    ).format(
        frame.width - frame.right,
        frame.height - frame.bottom + 13,
        escape(x_name),
        frame.left,
        frame.top - 6,
        escape(y_name),
    )


def _ticks(low: float, high: float, num: int, is_whole: bool = False) -> list[float]:
    """At most `num` + 1 round numbers from low to high."""
    raw = max((high - low) / num, 1.0 if is_whole else 0.0) or 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw and not (is_whole and power * m % 1))
    return [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _label(value: float) -> str:
    return f"{value:.4g}".replace("e+0", "e").replace("e-0", "e-").replace("-", "\N{MINUS SIGN}")
