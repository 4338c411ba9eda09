"""Draws two walks on an objective, and what was recorded of them against the steps.

Knows points, axes and ink: two panels, drawn once and kept, for screens and paper, light pages and dark ones. Refuses
to know whose walk it is beyond "torch" and "yours", which exercise it belongs to and what may be shown. matplotlib is
imported when the first picture is drawn, and no earlier.
"""

from __future__ import annotations

import functools
import io
import itertools
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Points = tuple[tuple[float, float], ...]  # shape (num_points, 2)
Views = tuple[tuple[float, float], tuple[float, float]]  # of x and of y, each from low to high

TORCH, YOURS, INK, FAINT = "#0072B2", "#D55E00", "#222222", "#8A8A8A"  # Okabe and Ito (2008): blue, vermilion
WIDTH, DOTS = 3.6, 200  # of one panel in inches, and dots per inch: twice the css pixels it is shown at
TORCH_STYLE: dict[str, Any] = {
    "color": TORCH, "linewidth": 1.4, "marker": "o", "markersize": 6, "markerfacecolor": "white", "zorder": 2,
}  # fmt: skip
YOURS_STYLE: dict[str, Any] = {
    "color": YOURS, "linewidth": 1.2, "linestyle": (0, (4, 2)), "marker": "D", "markersize": 2.8, "zorder": 3,
}  # fmt: skip
SETTINGS: Any = {
    "font.family": "DejaVu Sans", "font.size": 8.5, "text.color": INK, "axes.labelcolor": INK, "axes.labelpad": 1,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": FAINT, "axes.axisbelow": True,
    "axes.grid": True, "grid.color": "#E6E6E6", "grid.linewidth": 0.6,
    "xtick.color": INK, "xtick.labelsize": 8, "xtick.major.size": 3, "xtick.major.width": 0.7, "xtick.major.pad": 2,
    "ytick.color": INK, "ytick.labelsize": 8, "ytick.major.size": 3, "ytick.major.width": 0.7, "ytick.major.pad": 2,
}  # fmt: skip
CURVE_POINTS = 121
FAR = 8  # widths of torch's own path: so far off the first step that differs is still shown
COLORS = 40  # a palette is a third of the bytes; more are not seen


@dataclass(frozen=True, slots=True)
class Series:
    """One recorded column against the steps. None: no number there."""

    name: str
    reference: tuple[float | None, ...]  # shape (num_passes,)
    yours: tuple[float | None, ...]
    is_parted: bool = False  # the first gap is in this column


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a picture shows; equal scenes are drawn once."""

    curve: Points
    path: Points  # torch's iterates on the objective
    walk: Points  # the student's, cut where they leave the view
    parted: int | None  # the point of `walk` at which it parts from `path`
    step: int | None  # the first step at which a recorded column differs
    series: tuple[Series, ...]
    x_view: tuple[float, float]
    y_view: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Picture:
    """Two PNG files that belong side by side."""

    objective: bytes
    values: bytes


def make_scene(
    objective: Callable[[tuple[float, ...]], Sequence[float]],
    path: Sequence[float],
    walk: Sequence[float],
    series: Sequence[Series],
    parted: int | None = None,
    step: int | None = None,
) -> tuple[Scene, int | None]:
    """Choose what is in view, and cut and round the numbers to it.

    Args:
        objective: f, on many points at once.
        path: torch's iterates x_t, shape (num_passes,).
        walk: the student's, in the order of the calls of f; empty where they could not be read.
        series: what was recorded, the reference beside it.
        parted: index into `walk` of the first point off the path.
        step: first step at which the series differ.

    Returns:
        The scene, and the index of the first point of `walk` that is out of view (None: all are in it).
    """
    on_path = _pairs(path, objective(tuple(path)))
    walk = tuple(walk)[: 3 * len(on_path) + 5]
    finite = tuple(x for x in walk if math.isfinite(x))
    on_walk = dict(zip(finite, objective(finite), strict=True)) if finite else {}
    steps = [(x, on_walk.get(x, math.nan)) for x in walk]
    target = steps[parted] if parted is not None and parted < len(steps) else (math.nan, math.nan)
    x_view = _view([x for x, _ in on_path], [x for x, _ in steps], 0.15, target[0])
    grid = tuple(x_view[0] + (x_view[1] - x_view[0]) * i / (CURVE_POINTS - 1) for i in range(CURVE_POINTS))
    curve = _pairs(grid, objective(grid))
    lowest = min((y for _, y in on_path), default=math.nan)
    low = [y for _, y in curve if y < lowest]
    seen = [y for x, y in steps if x_view[0] <= x <= x_view[1]]
    y_view = _view([y for _, y in on_path], seen + low, 0.1, target[1])
    inside, left_at = _cut(steps, x_view, y_view)
    scene = Scene(
        curve=_rounded(curve),
        path=_rounded(on_path),
        walk=_rounded(inside),
        parted=parted if parted is not None and parted < len(inside) and parted != left_at else None,
        step=step,
        series=tuple(_rounded_series(s) for s in series),
        x_view=(_short(x_view[0]), _short(x_view[1])),
        y_view=(_short(y_view[0]), _short(y_view[1])),
    )
    return scene, left_at


def _pairs(xs: Sequence[float], ys: Sequence[float]) -> Points:
    return tuple((x, y) for x, y in zip(xs, ys, strict=True) if math.isfinite(x) and math.isfinite(y))


def _view(
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


def _cut(steps: list[tuple[float, float]], x_view: Any, y_view: Any) -> tuple[Points, int | None]:
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


def _short(value: float) -> float:
    return float(f"{value:.5g}")  # finer differences are not seen, and would be drawn anew


def _rounded(points: Points) -> Points:
    return tuple((_short(x), _short(y)) for x, y in points)


def _rounded_series(series: Series) -> Series:
    def tidy(values: Sequence[float | None]) -> tuple[float | None, ...]:
        return tuple(None if v is None or not math.isfinite(v) else _short(v) for v in values)

    return Series(series.name, tidy(series.reference), tidy(series.yours), series.is_parted)


def get_ready() -> None:
    """Load the library, its fonts and what it uses for large numbers, by drawing anything."""
    line, view = ((0.0, 0.0), (1.0, 1.0)), (0.0, 1.0)
    for far in (1.0, 1e9):
        series = (Series("f(x)", (1.0, 0.0), (1.0, far), True),)
        draw(Scene(curve=line, path=line, walk=line, parted=1, step=1, x_view=view, y_view=view, series=series))


_drawing = threading.Lock()  # matplotlib's settings are those of the process


def draw(scene: Scene) -> Picture:
    """Draw a scene; the same scene gives the same bytes. Threads wait for each other."""
    with _drawing:
        return _draw(scene)


@functools.lru_cache(maxsize=512)
def _draw(scene: Scene) -> Picture:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    height = 2.75 if len(scene.series) == 1 else 3.3
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(2 * WIDTH, height), dpi=DOTS, facecolor="white")
        canvas: Any = FigureCanvasAgg(figure)
        _draw_objective(figure.add_axes((0.07, 0.42 / height, 0.41, 1 - 0.78 / height)), scene)
        _draw_all_series(figure, scene, height)
        canvas.draw()
    width, tall = canvas.get_width_height()
    image = Image.frombuffer("RGBA", (width, tall), canvas.buffer_rgba()).convert("RGB")
    return Picture(_png(image.crop((0, 0, width // 2, tall))), _png(image.crop((width // 2, 0, width, tall))))


def _png(image: Any) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    image.quantize(COLORS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, "png")
    return file.getvalue()


def _draw_objective(axes: Any, scene: Scene) -> None:
    axes.plot(*zip(*scene.curve, strict=True), color=FAINT, linewidth=1.0, zorder=1)
    axes.plot(*zip(*scene.path, strict=True), **TORCH_STYLE)
    if scene.walk:
        axes.plot(*zip(*scene.walk, strict=True), **YOURS_STYLE)
    _dress(axes, _ticks(*scene.x_view), _ticks(*scene.y_view), (scene.x_view, scene.y_view))
    if scene.parted is not None:
        _ring(axes, *scene.walk[scene.parted], f"step {scene.parted}", (*scene.curve[::3], *scene.path, *scene.walk))
    axes.set_ylabel("f(x)")
    axes.set_xlabel("x")
    _legend(axes, bool(scene.walk))


def _draw_all_series(figure: Any, scene: Scene, height: float) -> None:
    bottom, top, num = 0.42 / height, 1 - 0.36 / height, len(scene.series)
    gap = 0.14 / height
    tall = (top - bottom - gap * (num - 1)) / num
    for row, series in enumerate(scene.series):
        axes = figure.add_axes((0.575, top - tall - row * (tall + gap), 0.41, tall))
        _draw_series(axes, series, scene.step if series.is_parted else None)
        if row == num - 1:
            axes.set_xlabel("step")
        else:
            axes.tick_params(labelbottom=False)
        if row == 0:
            _legend(axes, any(v is not None for v in series.yours))


def _draw_series(axes: Any, series: Series, step: int | None) -> None:
    num_passes = len(series.reference)
    yours = series.yours[: num_passes + 2]
    known = [v for v in series.reference if v is not None]
    both = [*known, *(v for v in yours if v is not None)]
    is_log = bool(known) and min(both) > 0 and (max(known) > 100 * min(known) or max(both) > 10 * max(known))
    scale: Callable[[float], float] = math.log10 if is_log else float
    value = yours[step] if step is not None and step < len(yours) else None
    target = math.nan if value is None else scale(value)
    view = _view([scale(v) for v in known], [scale(v) for v in both], 0.08, target, 1.5 if is_log else 0.0)
    axes.plot(range(num_passes), _heights(series.reference, scale, view), **TORCH_STYLE)
    if any(v is not None for v in yours):
        axes.plot(range(len(yours)), _heights(yours, scale, view), **YOURS_STYLE)
    last = max(num_passes, len(yours)) - 1
    _dress(axes, _ticks(0, last, is_whole=True), _ticks(*view, is_whole=is_log), ((-0.6, last + 0.6), view), is_log)
    axes.set_ylabel(series.name)
    if step is not None:
        axes.axvline(step, color=INK, linewidth=0.8, linestyle=(0, (1, 2)), zorder=1)
        ink = [*enumerate(_heights(series.reference, scale, view)), *enumerate(_heights(yours, scale, view))]
        where = target if view[0] <= target <= view[1] else math.nan  # nan: no ring, the line and the words stay
        _ring(axes, step, where, f"step {step}", tuple((float(t), v) for t, v in ink))


def _heights(values: Sequence[float | None], scale: Callable[[float], float], view: tuple[float, float]) -> list[float]:
    """Where values are drawn; those out of view just beyond the frame, for ink far outside overflows the library."""
    wide = view[1] - view[0]
    return [math.nan if v is None else min(max(scale(v), view[0] - wide), view[1] + wide) for v in values]


def _ring(axes: Any, x: float, y: float, words: str, ink: Points) -> None:
    """Marks the step of divergence by shape and words: a colour would be lost in print."""
    axes.plot([x], [y], marker="o", markersize=11, markerfacecolor="none", markeredgecolor=INK, zorder=5)
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    wide, tall = right - left, high - low
    y = high - 0.07 * tall if math.isnan(y) else y
    spots = _between([((a - left) / wide, (b - low) / tall) for a, b in ink if math.isfinite(b)])
    at_x, at_y = _clear_place((x - left) / wide, (y - low) / tall, spots)
    axes.text(
        left + at_x * wide,
        low + at_y * tall,
        words,
        horizontalalignment="center",
        verticalalignment="center",
        fontweight="bold",
        color=INK,
        bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
        zorder=6,
    )


def _between(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points and, between neighbours, the middle of the line that joins them."""
    middles = [((a + c) / 2, (b + d) / 2) for (a, b), (c, d) in itertools.pairwise(points)]
    return [*points, *middles]


def _clear_place(x: float, y: float, ink: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Where words beside (x, y) cover least; all in parts of the frame."""
    half_width, half_height = 0.11, 0.055
    places = [
        (x + dx, y + dy)
        for dx in (0.16, -0.16, 0.0)
        for dy in (0.1, -0.1, 0.0, 0.2, -0.2)
        if (dx or abs(dy) > 0.1) and 0.1 < x + dx < 0.9 and 0.06 < y + dy < 0.95
    ]

    def room(place: tuple[float, float]) -> float:
        return min(max(abs(place[0] - a) / half_width, abs(place[1] - b) / half_height) for a, b in ink)

    return max(places, key=lambda place: min(room(place), 1.15), default=(x, y))


def _dress(axes: Any, across: list[float], up: list[float], view: Views, is_log: bool = False) -> None:
    """Ticks and view. Ticks are given: the library's own search takes longer than all the drawing."""
    axes.set_xticks(across, [_label(v) for v in across])
    axes.set_yticks(up, [_label(10**v) if is_log else _label(v) for v in up])
    axes.set_xlim(view[0])
    axes.set_ylim(view[1])
    axes.yaxis.set_label_coords(-0.125, 0.5)


def _ticks(low: float, high: float, is_whole: bool = False) -> list[float]:
    """At most seven round numbers from low to high."""
    raw = max((high - low) / 6, 1.0 if is_whole else 0.0) or 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw and not (is_whole and power * m % 1))
    return [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _label(value: float) -> str:
    return f"{value:.4g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-").replace("-", "\N{MINUS SIGN}")


def _legend(axes: Any, has_yours: bool) -> None:
    """Both walks, named above the frame; drawn by hand in a tenth of a legend's time."""
    above = 1 + 0.17 / (axes.get_position().height * axes.figure.get_figheight())  # 0.17 inches
    for left, style, name in ((0.0, TORCH_STYLE, "torch"), (0.32, YOURS_STYLE, "yours"))[: 1 + has_yours]:
        xs = [left, left + 0.065, left + 0.13]
        axes.plot(xs, [above] * 3, transform=axes.transAxes, clip_on=False, markevery=[1], **style)
        axes.text(left + 0.16, above, name, transform=axes.transAxes, verticalalignment="center_baseline")
