"""Draws what a scene holds: two walks on an objective, and what was recorded of them against the steps.

Knows axes and ink: panels drawn once and kept, for screens and paper, light pages and dark ones. Refuses to know whose
walk it is beyond "torch" and "yours", which exercise it belongs to and what may be shown. matplotlib is imported when
the first picture is drawn, and no earlier.
"""

from __future__ import annotations

import functools
import io
import itertools
import math
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stepgrade.scene import Ground, Points, Scene, Series, Surface, Views, view_of

TORCH, YOURS, INK, FAINT = "#0072B2", "#D55E00", "#222222", "#8A8A8A"  # Okabe and Ito (2008): blue, vermilion
LOW, HIGH, CONTOUR = 1.0, 0.82, "#A9A9A9"  # greys of the ground, from its lowest place to its highest; its lines
WIDTH, DOTS = 3.6, 200  # of one panel in inches, and dots per inch: twice the css pixels it is shown at
HEIGHTS = {1: 2.75, 2: 3.3, 3: 4.0, 4: 4.8}  # of a picture in inches, by the columns that are drawn one above another
GROUND_HEIGHT = 3.3  # that the objective takes at most; contours take it always
FOOT, HEAD = 0.42, 0.36  # inches below a panel, for its numbers, and above it, for the legend
SMALL, LETTERS = 0.9, 14  # inches: a lower panel has fewer numbers; letters of a name in an inch
MOST_MARKERS = 40  # of a walk: of a longer one only some points are marked
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
COLORS, WITH_SHADES = 40, 64  # a palette is a third of the bytes; more are not seen


@dataclass(frozen=True, slots=True)
class Picture:
    """PNG files: the objective beside the values, or, where there is none to be seen, the values in full width."""

    objective: bytes | None
    values: bytes


def get_ready() -> None:
    """Load the library, its fonts and what it uses for large numbers, by drawing anything."""
    line, view = ((0.0, 0.0), (1.0, 1.0)), (0.0, 1.0)
    surface = Surface(view, view, ((0.0, 1.0), (1.0, 2.0)), (0.5, 1.0))
    for far, curve, contours in ((1.0, line, None), (1e9, (), surface)):
        series = (Series("f(x)", (1.0, 0.0), (1.0, far), True),)
        ground = Ground(("x", "f(x)"), curve, contours, line, line, 1, view, view)
        draw(Scene(ground, series, 1))


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

    ground = scene.ground
    has_contours = ground is not None and ground.surface is not None
    height = max(HEIGHTS[len(scene.series)], GROUND_HEIGHT if has_contours else 0.0)
    of_ground = min(height, GROUND_HEIGHT)
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(2 * WIDTH, height), dpi=DOTS, facecolor="white")
        canvas: Any = FigureCanvasAgg(figure)
        if ground is not None:
            tall = of_ground - FOOT - HEAD
            place = (0.07, 1 - (HEAD + tall) / height, 0.41, tall / height)
            _draw_ground(figure.add_axes(place), ground)
        _draw_all_series(figure, scene, height, (0.575, 0.41) if ground is not None else (0.07, 0.915))
        canvas.draw()
    width, tall = canvas.get_width_height()
    image = Image.frombuffer("RGBA", (width, tall), canvas.buffer_rgba()).convert("RGB")
    if ground is None:
        return Picture(None, _png(image))
    left = image.crop((0, 0, width // 2, round(of_ground * DOTS)))
    return Picture(_png(left, WITH_SHADES if has_contours else COLORS), _png(image.crop((width // 2, 0, width, tall))))


def _png(image: Any, num_colors: int = COLORS) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    drawn = image.quantize(num_colors, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette, paper = drawn.getpalette(), 3 * drawn.getpixel((0, 0))
    drawn.putpalette(palette[:paper] + [255] * 3 + palette[paper + 3 :])  # shades near it have made it grey
    drawn.save(file, "png")
    return file.getvalue()


# -- the objective -----------------------------------------------------------------------------------------------------


def _draw_ground(axes: Any, ground: Ground) -> None:
    if ground.surface is not None:
        _draw_surface(axes, ground.surface)
    elif ground.curve:
        axes.plot(*zip(*ground.curve, strict=True), color=FAINT, linewidth=1.0, zorder=1)
    axes.plot(*zip(*ground.path, strict=True), markevery=_every(ground.path), **TORCH_STYLE)
    if ground.walk:
        axes.plot(*zip(*ground.walk, strict=True), markevery=_every(ground.walk), **YOURS_STYLE)
    _dress(axes, _ticks(*ground.x_view), _ticks(*ground.y_view), (ground.x_view, ground.y_view))
    ink = (*ground.curve[::3], *ground.path, *ground.walk)
    if ground.parted is not None:
        ink = (*ink, *_ring(axes, *ground.walk[ground.parted], f"step {ground.parted}", ink))
    if ground.surface is not None:
        _mark_start(axes, *ground.path[0], ink)
    axes.set_xlabel(ground.names[0], parse_math=False)
    axes.set_ylabel(ground.names[1], parse_math=False)
    _legend(axes, bool(ground.walk))


def _draw_surface(axes: Any, surface: Surface) -> None:
    """Lines of equal height, the lower places the lighter: which way is down is seen without numbers."""
    import numpy as np

    axes.grid(visible=False)
    if not surface.levels:
        return
    heights = np.ma.masked_invalid(surface.heights)
    num = len(surface.levels)
    shades = [f"{LOW + (HIGH - LOW) * n / num:.3f}" for n in range(num + 1)]
    axes.contourf(surface.xs, surface.ys, heights, surface.levels, colors=shades, extend="both", zorder=0)
    style: Any = {"colors": CONTOUR, "linewidths": 0.6, "linestyles": "solid", "zorder": 0.5}
    axes.contour(surface.xs, surface.ys, heights, surface.levels, **style)


def _mark_start(axes: Any, x: float, y: float, ink: Points) -> None:
    """A square around torch's first point, which is the student's too where they begin where they should."""
    axes.plot([x], [y], marker="s", markersize=8.5, markerfacecolor="none", markeredgecolor=INK, zorder=4)
    _write(axes, x, y, "start", ink, is_bold=False)


# -- columns against the steps -----------------------------------------------------------------------------------------


def _draw_all_series(figure: Any, scene: Scene, height: float, across: tuple[float, float]) -> None:
    bottom, top, num = FOOT / height, 1 - HEAD / height, len(scene.series)
    gap = 0.14 / height
    tall = (top - bottom - gap * (num - 1)) / num
    for row, series in enumerate(scene.series):
        axes = figure.add_axes((across[0], top - tall - row * (tall + gap), across[1], tall))
        is_last = row == num - 1
        _draw_series(axes, series, scene.step if series.is_parted else None, tall * height, is_last)
        if is_last:
            axes.set_xlabel("step")
        if row == 0:
            _legend(axes, any(v is not None for v in series.yours))


def _draw_series(axes: Any, series: Series, step: int | None, tall: float, is_last: bool) -> None:
    """A column against the steps.

    Args:
        axes: where.
        series: the column.
        step: the first that differs, if it is this column that does.
        tall: height in inches.
        is_last: below all others, so that the steps' numbers stand here.
    """
    num_passes = len(series.reference)
    yours = series.yours[: num_passes + 2]
    known = [v for v in series.reference if v is not None]
    both = [*known, *(v for v in yours if v is not None)]
    is_log = bool(known) and min(both) > 0 and (max(known) > 100 * min(known) or max(both) > 10 * max(known))
    scale: Callable[[float], float] = math.log10 if is_log else float
    value = yours[step] if step is not None and step < len(yours) else None
    target = math.nan if value is None else scale(value)
    view = view_of([scale(v) for v in known], [scale(v) for v in both], 0.08, target, 1.5 if is_log else 0.0)
    axes.plot(
        range(num_passes),
        _heights(series.reference, scale, view),
        markevery=_every(series.reference),
        **TORCH_STYLE,
    )
    if any(v is not None for v in yours):
        axes.plot(range(len(yours)), _heights(yours, scale, view), markevery=_every(yours), **YOURS_STYLE)
    last = max(num_passes, len(yours)) - 1
    up = _ticks(*view, is_whole=is_log, most=7 if tall > SMALL else 5)
    _dress(axes, _ticks(0, last, is_whole=True), up, ((-0.6, last + 0.6), view), is_log, is_last)
    most = int(tall * LETTERS)
    axes.set_ylabel(series.name if len(series.name) <= most else f"{series.name[: most - 1]}…", parse_math=False)
    if step is not None:
        axes.axvline(step, color=INK, linewidth=0.8, linestyle=(0, (1, 2)), zorder=1)
        ink = [*enumerate(_heights(series.reference, scale, view)), *enumerate(_heights(yours, scale, view))]
        where = target if view[0] <= target <= view[1] else math.nan  # nan: no ring, the line and the words stay
        _ring(axes, step, where, f"step {step}", tuple((float(t), v) for t, v in ink))


def _heights(values: Sequence[float | None], scale: Callable[[float], float], view: tuple[float, float]) -> list[float]:
    """Where values are drawn; those out of view just beyond the frame, for ink far outside overflows the library."""
    wide = view[1] - view[0]
    return [math.nan if v is None else min(max(scale(v), view[0] - wide), view[1] + wide) for v in values]


def _every(points: Sequence[Any]) -> int:
    """Every how many points of a walk one is marked."""
    return 1 + (len(points) - 1) // MOST_MARKERS


# -- marks and frames --------------------------------------------------------------------------------------------------


def _ring(axes: Any, x: float, y: float, words: str, ink: Points) -> Points:
    """Marks the step of divergence by shape and words: a colour would be lost in print. Gives the words' place."""
    axes.plot([x], [y], marker="o", markersize=11, markerfacecolor="none", markeredgecolor=INK, zorder=5)
    low, high = axes.get_ylim()
    return _write(axes, x, high - 0.07 * (high - low) if math.isnan(y) else y, words, ink)


def _write(axes: Any, x: float, y: float, words: str, ink: Points, is_bold: bool = True) -> Points:
    """Words beside a point, where they cover least; gives the place they have taken."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    wide, tall = right - left, high - low
    spots = _between([((a - left) / wide, (b - low) / tall) for a, b in ink if math.isfinite(b)])
    reach = 2.95 / (axes.get_position().width * axes.figure.get_figwidth())  # a wide panel has small parts
    at_x, at_y = _clear_place((x - left) / wide, (y - low) / tall, spots, reach)
    place = (left + at_x * wide, low + at_y * tall)
    axes.text(
        *place,
        words,
        horizontalalignment="center",
        verticalalignment="center",
        fontweight="bold" if is_bold else "normal",
        color=INK,
        bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
        zorder=6,
    )
    return (place,)


def _between(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points and, between neighbours, the middle of the line that joins them."""
    middles = [((a + c) / 2, (b + d) / 2) for (a, b), (c, d) in itertools.pairwise(points)]
    return [*points, *middles]


def _clear_place(x: float, y: float, ink: Sequence[tuple[float, float]], reach: float) -> tuple[float, float]:
    """Where words beside (x, y) cover least; all in parts of the frame."""
    half_width, half_height = 0.11 * reach, 0.055
    places = [
        (x + dx * reach, y + dy)
        for dx in (0.16, -0.16, 0.0)
        for dy in (0.1, -0.1, 0.0, 0.2, -0.2)
        if (dx or abs(dy) > 0.1) and 0.1 * reach < x + dx * reach < 1 - 0.1 * reach and 0.06 < y + dy < 0.95
    ]

    def room(place: tuple[float, float]) -> float:
        return min(max(abs(place[0] - a) / half_width, abs(place[1] - b) / half_height) for a, b in ink)

    return max(places, key=lambda place: min(room(place), 1.15), default=(x, y))


def _dress(
    axes: Any, across: list[float], up: list[float], view: Views, is_log: bool = False, has_labels: bool = True
) -> None:
    """Ticks and view. Ticks are given: the library's own search takes longer than all the drawing."""
    axes.set_xticks(across, [_label(v) if has_labels else "" for v in across])
    axes.set_yticks(up, [_label(10**v) if is_log else _label(v) for v in up])
    axes.set_xlim(view[0])
    axes.set_ylim(view[1])
    axes.yaxis.set_label_coords(-0.125 * 0.41 / axes.get_position().width, 0.5)


def _ticks(low: float, high: float, is_whole: bool = False, most: int = 7) -> list[float]:
    """At most so many round numbers from low to high."""
    raw = max((high - low) / (most - 1), 1.0 if is_whole else 0.0) or 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw and not (is_whole and power * m % 1))
    return [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _label(value: float) -> str:
    text = f"{value:.4g}" if abs(value) >= 1e-3 or not value else re.sub(r"\.?0*e", "e", f"{value:.3e}")
    return text.replace("e+0", "e").replace("e+", "e").replace("e-0", "e-").replace("-", "\N{MINUS SIGN}")


def _legend(axes: Any, has_yours: bool) -> None:
    """Both walks, named above the frame; drawn by hand in a tenth of a legend's time."""
    above = 1 + 0.17 / (axes.get_position().height * axes.figure.get_figheight())  # 0.17 inches
    reach = 2.95 / (axes.get_position().width * axes.figure.get_figwidth())
    for left, style, name in ((0.0, TORCH_STYLE, "torch"), (0.32, YOURS_STYLE, "yours"))[: 1 + has_yours]:
        xs = [(left + further) * reach for further in (0.0, 0.065, 0.13)]
        axes.plot(xs, [above] * 3, transform=axes.transAxes, clip_on=False, markevery=[1], **style)
        words_at = ((left + 0.16) * reach, above)
        axes.text(*words_at, name, transform=axes.transAxes, verticalalignment="center_baseline")
