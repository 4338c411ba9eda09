"""Live plots for the optimization lesson: watch an optimizer walk, step by step.

In a notebook cell, with any optimizer of your own:

    init_2dplot(x_range, func, delta_=0.1)          # the curve f(x)
    for step in range(15):
        ...                                         # one step of the optimizer
        add_point_2d(x, y)                          # where it is now

    init_3dplot(x_range, y_range, func, elev=40, azim=250, delta_=0.1)     # the surface f(x, y)
    add_point_3d(x, y, z)

    race(func, start, {"SGD": lambda params: torch.optim.SGD(params, lr=0.1), "Adam": torch.optim.Adam}, iterations)

`init_2dplot`, `init_3dplot` return a `LivePlot`. Once the run is over, `plot.save("run.gif")` (or .mp4, .html, .png)
keeps it and `plot.slider()` steps back and forth through it.

The plots need torch, numpy and matplotlib alone. They find out where they are: `%matplotlib widget`, the plain inline
pictures of Jupyter, VS Code and Colab, or a window. Where nobody is watching (a grading run, or a matplotlib without
a screen) nothing is drawn per step, nothing waits, and the finished picture is shown once, at the end of the cell.

How a frame is drawn: axes, landscape and texts that stay are painted once and kept as pixels. A new point adds its own
piece of path to those pixels; the markers go on top. So a point costs the same whether it is the 10th or the 1,000th.
"""

from __future__ import annotations

import base64
import html
import json
import math
import os
import shutil
import struct
import subprocess
import time
import uuid
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex, to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator
from matplotlib.transforms import IdentityTransform

__all__ = ["LivePlot", "Trajectories", "add_point_2d", "add_point_3d", "init_2dplot", "init_3dplot", "race"]

FIGURE_SIZE = (8.4, 3.8)  # in inches
DPI = 100  # pixels per inch
WIDTH, HEIGHT = round(FIGURE_SIZE[0] * DPI), round(FIGURE_SIZE[1] * DPI)  # in pixels
# Left, bottom, width and height of the panels, as fractions of the figure: f alone, and f above the learning rate.
PANEL_RECT = (0.665, 0.135, 0.315, 0.7)
UPPER_RECT, LOWER_RECT = (0.665, 0.42, 0.315, 0.415), (0.665, 0.135, 0.315, 0.22)
PANEL_SCALE = 0.8  # of widths and sizes there
DIVERGING = 1e3  # a run whose f is so many times anything usual is said to diverge
MAX_MESH_LINES = 60  # per direction; a finer surface only takes longer to paint
MOST_DOTS = 80  # a longer run is drawn without a dot per step
MAX_SAVED_FRAMES = 200  # in a GIF or MP4; a longer run is thinned out evenly
# Jupyter servers drop what a kernel sends beyond 1,000,000 bytes per second (iopub_data_rate_limit), so stay below.
MAX_BYTES_PER_SECOND = 700_000
# Okabe and Ito's palette, told apart with every common colour blindness: https://jfly.uni-koeln.de/color/
RUN_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#999999")
RUN_MARKERS = "osD^vPXh"
LATEST_COLOR, LOWEST_COLOR = "#D55E00", "#F0E442"


# ---------------------------------------------------------------------------------------------------------------------
# What callers hand in
# ---------------------------------------------------------------------------------------------------------------------


def _number(value: Any, caller: str, name: str) -> float:
    """Returns one number, whatever it came wrapped in: a tensor with one element, a numpy number, a float."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().resolve_conj()
    shape = tuple(getattr(value, "shape", ()))
    if math.prod(shape) != 1:
        raise ValueError(f"{caller} wants one number for {name}, but got {math.prod(shape)}: shape {shape}")
    try:
        return float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError):
        kind = type(value).__name__
        message = f"{caller} wants one number for {name} (a float or a tensor with one element), but got {kind}"
        raise TypeError(f"{message}: {value!r:.60}") from None


def _range(values: Any, caller: str, name: str) -> np.ndarray:
    """Returns the numbers of a range, ascending: shape (num_values,), float64."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    wanted = f"{caller} wants numbers for {name}, such as torch.arange(-10, 10, 0.1)"
    try:
        array = np.sort(np.asarray(list(values) if isinstance(values, Iterable) else values, dtype=float).ravel())
    except (TypeError, ValueError):
        raise TypeError(f"{wanted}, but got {type(values).__name__}: {values!r:.60}") from None
    if array.size < 2 or not np.isfinite(array).all() or array[0] == array[-1]:
        raise ValueError(f"{wanted}: at least two different ones, all finite; but got {values!r:.60}")
    return array


def _seconds(delta_: Any, caller: str) -> float:
    seconds = _number(delta_, caller, "delta_")
    if not 0 <= seconds < math.inf:
        raise ValueError(f"{caller} wants a pause in seconds for delta_, 0 or more, but got {seconds}")
    return seconds


def _values(func: Callable[..., Any], grids: Sequence[np.ndarray], caller: str) -> np.ndarray:
    """Evaluates func on the whole grid, or point by point where it takes single numbers only.

    Args:
        func: the objective, of as many arguments as there are grids.
        grids: one array per coordinate, all of one shape.

    Returns:
        the values, same shape, float64; NaN and infinity are left in.
    """
    if not callable(func):
        raise TypeError(f"{caller} wants a function for func, but got {type(func).__name__}: {func!r:.60}")
    tensors = [torch.tensor(grid, dtype=torch.get_default_dtype()) for grid in grids]

    def evaluate(*arguments: torch.Tensor) -> np.ndarray:
        result = func(*arguments)
        return np.asarray(result.detach().cpu() if isinstance(result, torch.Tensor) else result, dtype=float)

    with torch.no_grad(), np.errstate(all="ignore"):
        try:
            whole = evaluate(*tensors)
            if whole.shape == grids[0].shape:
                return whole
        except Exception:  # func may ask `if x > 0`, which a whole grid cannot answer: single numbers are tried next
            pass
        try:
            single = [evaluate(*point).item() for point in zip(*(t.ravel() for t in tensors), strict=True)]
        except Exception as error:
            names = ", ".join("xy"[: len(grids)])
            raise ValueError(f"{caller} could not call func({names}): {type(error).__name__}: {error}") from error
    return np.array(single).reshape(grids[0].shape)


def _visible_limits(values: np.ndarray) -> tuple[float, float]:
    """Returns the lowest and highest value worth showing: finite, and without the spikes beside a pole."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    inner_low, inner_high = (float(edge) for edge in np.percentile(finite, (3, 97)))
    reach = 10 * (inner_high - inner_low)
    if reach > 0:
        low, high = max(low, inner_low - reach), min(high, inner_high + reach)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return low, high


# ---------------------------------------------------------------------------------------------------------------------
# The record of a run, and the landscapes it is drawn on
# ---------------------------------------------------------------------------------------------------------------------


class Run:
    """The points of one optimizer, in the order in which they came.

    Attributes:
        name: shown in the legend; empty when there is one run only.
        color: of its path; None colours the path by step.
        marker: the shape of its latest point, in matplotlib's letters.
        points: one row per step: the coordinates and then f, all floats.
        rates: the learning rate per step, NaN where none was given.
        lowest: per step, the index of the lowest finite f so far, or -1 before there is one.
        latest: per step, the index of the latest point without NaN or infinity, or -1 before there is one.
        broken: the index of the first point with NaN or infinity, None while all is finite.
        extent: the lowest and the highest finite f so far, None before there is one.
        top_rate: the highest learning rate so far, None before there is one.
    """

    def __init__(self, name: str = "", color: str | None = None, marker: str = "o") -> None:
        self.name, self.color, self.marker = name, color, marker
        self.points: list[tuple[float, ...]] = []
        self.rates: list[float] = []
        self.lowest: list[int] = []
        self.latest: list[int] = []
        self.broken: int | None = None
        self.extent: tuple[float, float] | None = None
        self.top_rate: float | None = None

    def add(self, point: tuple[float, ...], rate: float) -> None:
        """Appends a point: the coordinates and then f."""
        step, value = len(self.points), point[-1]
        best, latest = (self.lowest[-1], self.latest[-1]) if step else (-1, -1)
        if all(map(math.isfinite, point)):
            latest = step
            best = step if best < 0 or value < self.points[best][-1] else best
        elif self.broken is None:
            self.broken = step
        if math.isfinite(value):
            low, high = self.extent or (value, value)
            self.extent = (min(low, value), max(high, value))
        if math.isfinite(rate):
            self.top_rate = max(rate, self.top_rate or rate)
        self.points.append(point)
        self.rates.append(rate)
        self.lowest.append(best)
        self.latest.append(latest)

    def rows(self, first: int, last: int) -> np.ndarray:
        """Coordinates and f of steps first to last - 1: shape (last - first, num_coordinates + 1)."""
        return np.array(self.points[first:last], dtype=float).reshape(-1, len(self.points[0]) if self.points else 1)

    def value_rows(self, first: int, last: int) -> np.ndarray:
        """Step and f: shape (last - first, 2)."""
        return np.array([(k, self.points[k][-1]) for k in range(first, last)], dtype=float).reshape(-1, 2)

    def rate_rows(self, first: int, last: int) -> np.ndarray:
        """Step and learning rate: shape (last - first, 2)."""
        return np.array([(k, self.rates[k]) for k in range(first, last)], dtype=float).reshape(-1, 2)


ANY_VALUE = np.array([0.0, 0.0, np.inf])  # widens a box of x, y and f to every f


@dataclass(frozen=True)
class _Layer:
    """One path to draw.

    Attributes:
        place: from points, shape (n, num_dims), to the axes' own coordinates, shape (n, 2).
        low: the corner of the box outside which nothing is drawn, shape (num_dims,).
        high: its other corner.
        is_shadow: a thin path, without markers.
    """

    place: Callable[[np.ndarray], np.ndarray]
    low: np.ndarray
    high: np.ndarray
    is_shadow: bool = False


class _Landscape:
    """The objective as a picture.

    It is drawn twice over: `paint` with matplotlib, for the live picture, and `sketch` as plain SVG, which takes a
    hundredth of the time and is what grading shows and what the player is made of.
    """

    rect = (0.075, 0.135, 0.485, 0.7)  # left, bottom, width, height as fractions of the figure
    names: tuple[str, ...] = ("x",)
    values: np.ndarray  # f on the grid
    low: np.ndarray  # the corners of what is visible: coordinates and then f, shape (num_coordinates + 1,)
    high: np.ndarray

    @property
    def height(self) -> float:
        return float(self.high[-1] - self.low[-1])

    def paint(self, figure: Figure, look: _Look) -> Axes:
        raise NotImplementedError

    def layers(self, axes: Axes) -> list[_Layer]:
        """The paths to draw on what `paint` made, in the axes' coordinates."""
        raise NotImplementedError

    def sketch(self, look: _Look) -> tuple[list[str], list[_Layer]]:
        """The landscape's SVG shapes, and the paths to draw on them, in pixels."""
        raise NotImplementedError


class _Curve(_Landscape):
    """f(x) as a line."""

    def __init__(self, x: np.ndarray, func: Callable[..., Any], caller: str) -> None:
        self.x, self.values = x, _values(func, [x], caller)
        low, high = _visible_limits(self.values)
        margin = 0.06 * (high - low)
        self.low, self.high = np.array([x[0], low - margin]), np.array([x[-1], high + margin])

    def paint(self, figure: Figure, look: _Look) -> Axes:
        axes = figure.add_axes(self.rect)
        axes.set(xlim=(self.low[0], self.high[0]), ylim=(self.low[1], self.high[1]), xlabel="x", ylabel="f(x)")
        visible = np.where(np.isfinite(self.values), self.values, np.nan)
        axes.plot(self.x, visible, color=look.landscape_line, linewidth=1.6, zorder=1)
        return axes

    def layers(self, axes: Axes) -> list[_Layer]:
        return [_Layer(lambda points: points, self.low, self.high)]

    def sketch(self, look: _Look) -> tuple[list[str], list[_Layer]]:
        shapes, place = _sketch_axes(self.rect, self.low, self.high, ("x", "f(x)"), look)
        rows = np.column_stack([self.x, self.values])
        starts, ends, touches = _visible_segments(rows, self.low, self.high)
        pixels = np.hstack([place(starts[touches]), place(ends[touches])])
        line = "".join(f"M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" for x0, y0, x1, y1 in pixels.tolist())
        shapes.append(f'<path d="{line}" stroke="{look.landscape_line}" stroke-width="2.2" stroke-linecap="round"/>')
        return shapes, [_Layer(place, self.low, self.high)]


class _Plane(_Landscape):
    """What the two pictures of f(x, y) share: the grid and its visible limits."""

    names = ("x", "y")

    def __init__(self, x: np.ndarray, y: np.ndarray, func: Callable[..., Any], caller: str) -> None:
        x, y = (axis[np.unique(np.linspace(0, len(axis) - 1, MAX_MESH_LINES).astype(int))] for axis in (x, y))
        self.x, self.y = np.meshgrid(x, y)
        self.values = _values(func, [self.x, self.y], caller)
        low, high = _visible_limits(self.values)
        self.low, self.high = np.array([x[0], y[0], low]), np.array([x[-1], y[-1], high])

    def clipped(self) -> np.ndarray:
        """f on the grid, shape (num_y, num_x): spikes cut off, NaN where there is no value."""
        values = np.where(np.isnan(self.values), np.nan, np.clip(self.values, self.low[2], self.high[2]))
        return np.where(np.isinf(self.values), np.nan, values)


class _Map(_Plane):
    """f(x, y) from above, as contours."""

    def paint(self, figure: Figure, look: _Look) -> Axes:
        axes = figure.add_axes(self.rect)
        axes.set(xlim=(self.low[0], self.high[0]), ylim=(self.low[1], self.high[1]), xlabel="x", ylabel="y")
        values = np.ma.masked_invalid(self.clipped())
        if values.count():
            levels = np.linspace(self.low[2], self.high[2], 16)
            axes.contourf(self.x, self.y, values, levels=levels, cmap=look.surface_map, zorder=0)
            axes.contour(
                self.x, self.y, values, levels=levels, colors=[look.landscape_line], linewidths=0.4, alpha=0.5, zorder=1
            )
        return axes

    def layers(self, axes: Axes) -> list[_Layer]:
        return [_Layer(lambda points: points[:, :2], self.low - ANY_VALUE, self.high + ANY_VALUE)]

    def sketch(self, look: _Look) -> tuple[list[str], list[_Layer]]:
        shapes, place = _sketch_axes(self.rect, self.low[:2], self.high[:2], ("x", "y"), look)
        pixels = (look.surface_map(_bands(self.clipped(), self.low[2], self.high[2]))[::-1, :, :3] * 255).astype(
            np.uint8
        )
        (left, top), (right, bottom) = place(np.array([[self.low[0], self.high[1]], [self.high[0], self.low[1]]]))
        image = base64.b64encode(_png(pixels)).decode("ascii")
        shapes.insert(
            0,
            f'<image x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" '
            f'preserveAspectRatio="none" href="data:image/png;base64,{image}"/>',
        )
        return shapes, [_Layer(lambda points: place(points[:, :2]), self.low - ANY_VALUE, self.high + ANY_VALUE)]


class _Surface(_Plane):
    """f(x, y) as a surface seen from (elev, azim), in degrees, above a floor of contours."""

    rect = (-0.01, 0.02, 0.61, 0.92)

    def __init__(
        self, x: np.ndarray, y: np.ndarray, func: Callable[..., Any], elev: float, azim: float, caller: str
    ) -> None:
        super().__init__(x, y, func, caller)
        self.elev, self.azim = elev, azim
        self.floor = self.low[2] - 0.6 * (self.high[2] - self.low[2])

    def paint(self, figure: Figure, look: _Look) -> Axes:
        from mpl_toolkits.mplot3d import Axes3D
        from mpl_toolkits.mplot3d.art3d import Poly3DCollection

        axes: Any = figure.add_axes(Axes3D(figure, self.rect, computed_zorder=False))
        axes.set(xlim=(self.low[0], self.high[0]), ylim=(self.low[1], self.high[1]), zlim=(self.floor, self.high[2]))
        axes.set(xlabel="x", ylabel="y", zlabel="f")
        axes.view_init(elev=self.elev, azim=self.azim)
        axes.set_box_aspect((4, 4, 3), zoom=0.9)
        values = self.clipped()
        faces = _faces(self.x, self.y, values)
        if len(faces):
            height = (faces[:, :, 2].mean(axis=1) - self.low[2]) / (self.high[2] - self.low[2])
            colors = look.surface_map(height)
            axes.add_collection3d(
                Poly3DCollection(faces, facecolors=colors, edgecolors=look.mesh, linewidths=0.4, zorder=1)
            )
            levels = np.linspace(self.low[2], self.high[2], 9)
            floor = np.ma.masked_invalid(values)
            axes.contourf(
                self.x, self.y, floor, levels=levels, zdir="z", offset=self.floor, cmap=look.surface_map, zorder=0
            )
        if abs(self.elev) > 65:  # the vertical axis is seen from its end: no room for more ticks
            axes.zaxis.set_major_locator(MaxNLocator(2))
        return axes

    def layers(self, axes: Any) -> list[_Layer]:
        from mpl_toolkits.mplot3d import proj3d

        return self.levels(lambda corners: np.column_stack(proj3d.proj_transform(*corners.T, axes.M)[:2]))

    def levels(self, project: Callable[[np.ndarray], np.ndarray]) -> list[_Layer]:
        """The path's shadow on the floor, and the path itself.

        Args:
            project: from places in the box, shape (n, 3), to the plane of the picture, shape (n, 2).
        """

        def on_floor(points: np.ndarray) -> np.ndarray:
            return project(np.column_stack([points[:, :2], np.full(len(points), self.floor)]))

        # a point may lie above its surface: lessons often pair the new place with the value before the step
        room = np.array([0.0, 0.0, 0.25]) * (self.high - self.low)
        return [
            _Layer(on_floor, self.low - ANY_VALUE, self.high + ANY_VALUE, is_shadow=True),
            _Layer(project, self.low - room, self.high + room),
        ]

    def sketch(self, look: _Look) -> tuple[list[str], list[_Layer]]:
        view = _View(self)
        return view.sketch(look), self.levels(view.place)


class _Look:
    """Colours that fit the style in use, light or dark."""

    def __init__(self) -> None:
        rc = matplotlib.rcParams
        self.paper = rc["axes.facecolor"]
        self.outside = rc["figure.facecolor"]
        self.ink = rc["text.color"]
        self.is_dark = float(np.dot(to_rgb(self.paper), (0.299, 0.587, 0.114))) < 0.5
        self.landscape_line = "#9a9a9a" if self.is_dark else "#808080"
        self.shadow = "#b0b0b0" if self.is_dark else "#606060"
        self.mesh = "#00000055" if self.is_dark else "#ffffff66"
        self.warning = "#F0E442" if self.is_dark else "#A33C00"
        self.path_map = colormaps["plasma"].resampled(256)
        self.path_ends = (0.4, 0.92) if self.is_dark else (0.0, 0.8)
        faces = colormaps["cividis"](np.linspace(0, 1, 64))
        faces[:, :3] = faces[:, :3] * 0.7 + (0.08 if self.is_dark else 0.3)
        self.surface_map = matplotlib.colors.ListedColormap(faces)

    def path_colors(self, steps: np.ndarray, last: float) -> np.ndarray:
        """Colours by step, from the first to the last: shape (len(steps), 4)."""
        low, high = self.path_ends
        return self.path_map(low + (high - low) * np.clip(steps / max(last, 1), 0, 1))


# ---------------------------------------------------------------------------------------------------------------------
# The path on the picture
# ---------------------------------------------------------------------------------------------------------------------


def _clip_segments(
    starts: np.ndarray, ends: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cuts segments to a box (Liang and Barsky 1984, in any number of dimensions).

    Args:
        starts, ends: shape (num_segments, num_dims), finite.
        low, high: the corners of the box, shape (num_dims,).

    Returns:
        the cut starts and ends, and which segments touch the box at all: shape (num_segments,), bool.
    """
    way = ends - starts
    rests = way == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        to_low, to_high = (low - starts) / way, (high - starts) / way
    is_between = (low <= starts) & (starts <= high)
    enters = np.where(rests, np.where(is_between, -np.inf, np.inf), np.minimum(to_low, to_high))
    leaves = np.where(rests, np.where(is_between, np.inf, -np.inf), np.maximum(to_low, to_high))
    enter, leave = np.clip(enters.max(axis=1), 0, None), np.clip(leaves.min(axis=1), None, 1)
    touches = enter <= leave
    enter, leave = np.where(touches, enter, 0)[:, None], np.where(touches, leave, 0)[:, None]
    return starts + enter * way, starts + leave * way, touches


def _visible_segments(rows: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joins rows to a line and cuts it to a box; NaN and infinity interrupt it.

    Args:
        rows: shape (num_rows, num_dims).
        low: the corner of the box, shape (num_dims,).
        high: its other corner.

    Returns:
        starts and ends, shape (num_rows - 1, num_dims), and which of them are visible, shape (num_rows - 1,), bool.
    """
    finite = np.isfinite(rows).all(axis=1)
    rows = np.where(finite[:, None], np.clip(rows, -1e150, 1e150), 0.0)  # so that differences do not overflow
    starts, ends, touches = _clip_segments(rows[:-1], rows[1:], low, high)
    return starts, ends, touches & finite[:-1] & finite[1:]


class _Trail:
    """Where one run lies on one drawing: the pieces of its path and its markers, drawn by whoever can draw."""

    def __init__(
        self, run: Run, rows: Callable[[int, int], np.ndarray], layer: Callable[[], _Layer], scale: float
    ) -> None:
        """Args:
        rows: the data of steps first to last - 1, shape (last - first, num_dims).
        layer: how these data are placed on the drawing; asked at every draw, because limits change.
        scale: of widths and sizes, 1 on the landscape.
        """
        self.run, self.rows, self.layer = run, rows, layer
        self.is_shadow = layer().is_shadow
        self.has_dots = not run.color and not self.is_shadow
        self.has_halo = not self.is_shadow and scale == 1.0
        self.width = (1.2 if self.is_shadow else 2.2) * scale  # in points
        sizes = {"start": 8.0, "latest": 5.0 if self.is_shadow else 8.5 if run.name else 10.0, "lowest": 13.0}
        self.marker_sizes = {kind: size * scale for kind, size in sizes.items()}  # in points

    def data(self, first: int, last: int) -> np.ndarray:
        return self.rows(first, min(last, len(self.run.points)))

    def segments(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """The path into steps first to last - 1, as far as it is visible.

        Returns:
            positions, shape (n, 2, 2), and the step each segment leads to, shape (n,).
        """
        rows, layer = self.data(max(first - 1, 0), last), self.layer()
        if len(rows) < 2:
            return np.empty((0, 2, 2)), np.empty(0, dtype=int)
        starts, ends, visible = _visible_segments(rows, layer.low, layer.high)
        steps = np.arange(max(first, 1), max(first, 1) + len(starts))
        return np.stack([layer.place(starts[visible]), layer.place(ends[visible])], axis=1), steps[visible]

    def points(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """Where steps first to last - 1 lie, those outside left out: positions (n, 2) and steps (n,)."""
        rows, layer = self.data(first, last), self.layer()
        if not len(rows):
            return np.empty((0, 2)), np.empty(0, dtype=int)
        with np.errstate(invalid="ignore"):
            inside = (np.isfinite(rows) & (layer.low <= rows) & (rows <= layer.high)).all(axis=1)
        return layer.place(rows[inside]), np.arange(first, first + len(rows))[inside]

    def marks(self, shown: int) -> dict[str, np.ndarray | None]:
        """Where the markers are once `shown` points have come, in the order in which they are drawn."""
        return {kind: self.mark(step) for kind, step in self.marked_steps(shown).items()}

    def marked_steps(self, shown: int) -> dict[str, int]:
        """The steps that have markers once `shown` points have come; -1 where there is no such step yet."""
        shown = min(shown, len(self.run.points))
        if not shown:
            return {}
        steps = {"latest": self.run.latest[shown - 1]}
        if not self.is_shadow:
            steps = {"start": 0, **steps}
            if not self.run.name:
                steps["lowest"] = self.run.lowest[shown - 1]
        return steps

    def mark(self, step: int) -> np.ndarray | None:
        """Where a marker for this step goes: the point itself, or the nearest place in the picture; shape (2,)."""
        row = self.data(step, step + 1) if step >= 0 else np.empty((0, 1))
        if not len(row) or not np.isfinite(row).all():
            return None
        layer = self.layer()
        return layer.place(np.clip(row, layer.low, layer.high))[0]

    def all_marks(self) -> list[list[float] | None]:
        """What `mark` gives for every step, all at once."""
        rows, layer = self.data(0, len(self.run.points)), self.layer()
        finite = np.isfinite(rows).all(axis=1)
        places = layer.place(np.clip(np.where(finite[:, None], rows, 0.0), layer.low, layer.high)).tolist()
        return [place if is_finite else None for place, is_finite in zip(places, finite.tolist(), strict=True)]

    def marker(self, kind: str, look: _Look) -> tuple[str, str, str]:
        """A marker's shape, in matplotlib's letters, and the colours of its face and its edge."""
        if kind == "start":
            return "s", look.paper, look.ink
        if kind == "lowest":
            return "*", LOWEST_COLOR, "black"
        return self.run.marker, look.shadow if self.is_shadow else self.run.color or LATEST_COLOR, "black"

    def colors(self, steps: np.ndarray, last_step: float, look: _Look) -> np.ndarray:
        """The colour of the piece of path into each of these steps: shape (len(steps), 4)."""
        if self.run.color or self.is_shadow:
            return np.tile(to_rgba(self.run.color or look.shadow), (len(steps), 1))
        return look.path_colors(steps, last_step)


class _Track(Artist):
    """A trail as a matplotlib artist.

    It draws itself from the record of the run, so nothing is added to the figure while the run goes on, and a zoomed,
    turned or saved figure is right without further work.
    """

    def __init__(self, picture: _Picture, axes: Axes, trail: _Trail) -> None:
        super().__init__()
        self.picture, self.trail = picture, trail
        paper, width = picture.look.paper, trail.width
        self.halo = LineCollection([], linewidths=1.9 * width, colors=[paper], capstyle="butt")
        self.line = LineCollection([], linewidths=width, capstyle="round")
        self.dots = PathCollection(
            [_outline("o")],
            sizes=[(1.8 * width) ** 2],
            linewidths=0.6,
            edgecolors=[paper],
            offsets=np.empty((0, 2)),
            offset_transform=axes.transData,
        )
        self.dots.set_transform(IdentityTransform())
        self.markers: dict[str, Line2D] = {}
        for kind, size in trail.marker_sizes.items():
            shape, face, edge = trail.marker(kind, picture.look)
            self.markers[kind] = Line2D([], [], marker=shape, ms=size, mfc=face, mec=edge, mew=1.1, linestyle="none")
        self.set_zorder(10)  # above surface and curves
        self.set_in_layout(False)
        axes.add_artist(self)
        for part in (self.halo, self.line, self.dots, *self.markers.values()):
            part.set_figure(axes.figure)
            part.axes = axes
            if part is not self.dots:
                part.set_transform(axes.transData)

    def draw(self, renderer: Any) -> None:
        """Draws the whole track: what matplotlib calls for a full draw."""
        if self.get_visible():
            self.draw_path(renderer, 0, self.picture.shown)
            self.draw_marks(renderer, self.picture.shown)

    def draw_path(self, renderer: Any, first: int, last: int) -> None:
        """Draws the pieces of path into steps first to last - 1."""
        picture, trail = self.picture, self.trail
        segments, steps = trail.segments(first, last)
        if len(segments):
            if trail.has_halo:
                self.halo.set_segments(segments)
                self.halo.draw(renderer)
            self.line.set_segments(segments)
            self.line.set_color(trail.colors(steps, picture.last_step, picture.look))
            self.line.draw(renderer)
        if trail.has_dots and picture.last_step <= MOST_DOTS:
            places, steps = trail.points(max(first - 1, 0), last)
            if len(places):
                self.dots.set_offsets(places)
                self.dots.set_facecolor(trail.colors(steps, picture.last_step, picture.look))
                self.dots.draw(renderer)

    def draw_marks(self, renderer: Any, shown: int) -> None:
        for kind, place in self.trail.marks(shown).items():
            if place is not None:
                self.markers[kind].set_data(place[:1], place[1:])
                self.markers[kind].draw(renderer)


def _outline(shape: str) -> Any:
    """The outline of one of matplotlib's markers, one unit wide."""
    style = MarkerStyle(shape)
    return style.get_path().transformed(style.get_transform())


BASELINE = 0.7  # where letters stand on the sheet of a letter, from its top


class _QuickText:
    """Writes a line that changes at every point: every letter is rendered once, and pasted from then on.

    Rendering a line of text anew takes longer than all the rest of a frame.
    """

    def __init__(self, text: Text) -> None:
        self.text = text
        self.letters: dict[tuple[str, float, float], tuple[np.ndarray, float]] = {}

    def draw(self, renderer: Any) -> None:
        """Writes the text on an Agg renderer."""
        words, font = self.text.get_text(), self.text.get_fontproperties()
        if not words:
            return
        letters = [self.letter(renderer, letter, font) for letter in words]
        starts = np.cumsum([0.0, *(advance for _, advance in letters)]).round().astype(int)
        height, width = letters[0][0].shape
        image = np.empty((height, int(starts[-1]) + width, 4), dtype=np.uint8)
        image[:] = np.array(to_rgba(self.text.get_color())) * 255
        image[:, :, 3] = 0
        for (shape, _), start in zip(letters, starts, strict=False):
            place = image[:, start : start + width, 3]
            np.maximum(place, shape, out=place)
        x, base = self.text.get_transform().transform(self.text.get_position())
        below = height - round(BASELINE * height)
        # Agg counts rows from below
        renderer.draw_image(renderer.new_gc(), round(x), round(base) - below, image[::-1])

    def letter(self, renderer: Any, letter: str, font: FontProperties) -> tuple[np.ndarray, float]:
        """A letter's coverage, shape (height, width), uint8, and how far it moves the next one, in pixels."""
        key = (letter, renderer.dpi, font.get_size_in_points())
        if key not in self.letters:
            size = math.ceil(1.6 * renderer.points_to_pixels(font.get_size_in_points()))
            sheet = RendererAgg(size, size, renderer.dpi)
            sheet.draw_text(sheet.new_gc(), 0, round(BASELINE * size), letter, font, 0)
            ten, none = (sheet.get_text_width_height_descent(f"|{run}|", font, False)[0] for run in (10 * letter, ""))
            self.letters[key] = np.asarray(sheet.buffer_rgba())[:, :, 3].copy(), (ten - none) / 10
        return self.letters[key]


class _Picture:
    """A figure with a landscape, a panel of f against steps and, when given, one of the learning rate.

    It keeps two sheets of pixels: `bare` with everything that stays, and `paper`, the same with the path drawn so far.
    """

    def __init__(self, figure: Figure, landscape: _Landscape, runs: Sequence[Run], look: _Look) -> None:
        self.figure, self.landscape, self.runs, self.look = figure, landscape, runs, look
        self.shown = 0
        self.last_step = 10.0  # the right end of the steps axis and of the colours
        self.value_limits: tuple[float, float] | None = None
        self.bare: Any = None
        self.paper: Any = None
        self.inked = 0  # how many points are on the paper
        self.is_painting = False
        self.sheet_key: tuple[float, ...] = ()
        self.rate_panel: Axes | None = None

        self.axes = landscape.paint(figure, look)
        self.panel = figure.add_axes(PANEL_RECT)
        self.panel.set(xlabel="step", ylabel="f", xlim=(-0.3, self.last_step))
        for axes in (self.axes, self.panel):
            self.tidy(axes)
        trails = [
            _Trail(run, run.rows, partial(_same, layer), 1.0) for run in runs for layer in landscape.layers(self.axes)
        ]
        self.tracks = [_Track(self, self.axes, trail) for trail in trails]
        self.add_tracks(self.panel, [run.value_rows for run in runs])
        self.status = figure.text(0.02, 0.94, "", fontsize=10)
        self.warning = figure.text(0.02, 0.87, "", fontsize=9.5, color=look.warning, weight="bold")
        self.lines = [_QuickText(self.status), _QuickText(self.warning)]
        self.explain_markers()
        figure.canvas.mpl_connect("draw_event", self.forget_sheets)

    def tidy(self, axes: Any) -> None:
        """Few ticks: they are easier to read, and text is most of what a draw costs."""
        for axis in (axes.xaxis, axes.yaxis, getattr(axes, "zaxis", None)):
            if axis is not None and type(axis.get_major_locator()) is not MaxNLocator:
                axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=axis.get_label_text() == "step"))
                axis.set_tick_params(labelsize=8.5, labelcolor=self.look.ink)

    def explain_markers(self) -> None:
        """The legend: the runs by name, or the three markers."""
        if self.runs[0].name:
            handles = [
                Line2D([], [], color=r.color, marker=r.marker, mec=self.look.ink, mew=0.8, label=r.name)
                for r in self.runs
            ]
            self.panel.legend(handles=handles, loc="upper right", fontsize=8.5, framealpha=0.8)
            return
        for place, (shape, face, edge, name) in zip((0.69, 0.79, 0.895), _marker_keys(self.look), strict=True):
            size = 11 if shape == "*" else 7
            mark = Line2D([place - 0.016], [0.882], marker=shape, ms=size, mfc=face, mec=edge, mew=1)
            mark.set_transform(self.figure.transFigure)
            self.figure.add_artist(mark)
            self.figure.text(place, 0.88, name, va="center_baseline", fontsize=9)

    def show_rates(self) -> None:
        """Makes room for a panel of the learning rate under the panel of f."""
        self.panel.set_position(UPPER_RECT)
        self.panel.set_xlabel("")
        self.panel.tick_params(labelbottom=False)
        self.rate_panel = self.figure.add_axes(LOWER_RECT)
        self.rate_panel.set(xlabel="step", ylabel="lr")
        self.tidy(self.rate_panel)
        self.rate_panel.yaxis.set_major_locator(MaxNLocator(2, steps=[1, 2, 5, 10]))
        self.add_tracks(self.rate_panel, [run.rate_rows for run in self.runs])

    def add_tracks(self, axes: Axes, rows: Sequence[Callable[[int, int], np.ndarray]]) -> None:
        """Draws every run on a panel."""
        layer = partial(_panel_layer, axes)
        trails = [_Trail(run, row, layer, PANEL_SCALE) for run, row in zip(self.runs, rows, strict=True)]
        self.tracks += [_Track(self, axes, trail) for trail in trails]

    def rescale(self, is_final: bool = False) -> None:
        """Fits the panels to what has come: with room to grow while the run goes on, tight at its end.

        Room grows by doubling, so that a long run is repainted a few times only.
        """
        last = max(len(run.points) for run in self.runs) - 1
        room = 10.0
        while room < last:
            room *= 2
        last_step = float(max(last, 1)) if is_final else room
        limits = self.wanted_limits(is_final)
        if self.rate_panel is None and any(run.top_rate is not None for run in self.runs):
            self.show_rates()
            self.bare = None
        if last_step != self.last_step or limits != self.value_limits:
            self.bare = None
            self.last_step, self.value_limits = last_step, limits
            for axes in (self.panel, self.rate_panel):
                if axes is not None:
                    axes.set_xlim(-0.04 * last_step, 1.04 * last_step)
            if limits is not None:
                self.panel.set_ylim(limits)
        if self.rate_panel is not None:
            top = _rate_limit(self.runs)
            if self.rate_panel.get_ylim()[1] < top or is_final:
                self.rate_panel.set_ylim(0, top)
                self.bare = None

    def wanted_limits(self, is_final: bool) -> tuple[float, float] | None:
        """The limits of f in the panel, None before there is a finite value."""
        tight = _tight_limits(self.runs, self.landscape)
        if tight is None:
            return None
        if tight.threshold and self.panel.get_yscale() == "linear":
            self.panel.set_yscale("symlog", linthresh=tight.threshold)
            self.panel.yaxis.set_minor_locator(NullLocator())
            self.panel.yaxis.set_major_formatter(lambda value, _: _number_text(value))
            self.panel.set_ylabel("f (log scale)")
        if tight.threshold:
            self.panel.yaxis.set_major_locator(FixedLocator(_log_ticks(tight.low, tight.high, tight.threshold)))
        if tight.threshold or is_final:
            return tight.low, tight.high
        low, high = tight.low, tight.high
        if self.value_limits is None:
            low = min(low, float(self.landscape.low[-1]))
            return low, high + 0.06 * (high - low)
        if self.value_limits[0] <= low and high <= self.value_limits[1]:
            return self.value_limits
        low, high = min(low, self.value_limits[0]), max(high, self.value_limits[1])
        return low - 0.3 * (high - low), high + 0.3 * (high - low)

    def forget_sheets(self, _event: Any = None) -> None:
        """After a full draw that was not ours (a zoom, a turn, another size) the kept pixels are out of date."""
        if not self.is_painting:
            self.bare = None

    def compose(self, shown: int) -> None:
        """Brings the canvas's pixels to the state after `shown` points."""
        canvas: Any = self.figure.canvas
        renderer = canvas.get_renderer()
        key = (renderer.width, renderer.height, renderer.dpi)
        if self.bare is None or key != self.sheet_key:
            self.sheet_key = key
            self.paint_bare(renderer)
        if self.paper is None or shown < self.inked:
            self.paper, self.inked = self.bare, 0
        renderer.restore_region(self.paper)
        self.shown = shown
        if shown > self.inked:
            for track in self.tracks:
                track.draw_path(renderer, self.inked, shown)
            self.paper, self.inked = renderer.copy_from_bbox(self.figure.bbox), shown
        for track in self.tracks:
            track.draw_marks(renderer, shown)
        self.say(shown)
        for line in self.lines:
            line.draw(renderer)

    def paint_bare(self, renderer: Any) -> None:
        """Paints everything that stays."""
        moving = [*self.tracks, self.status, self.warning]
        self.is_painting = True
        try:
            for artist in moving:
                artist.set_visible(False)
            renderer.clear()
            self.figure.draw(renderer)
        finally:
            for artist in moving:
                artist.set_visible(True)
            self.is_painting = False
        self.bare = renderer.copy_from_bbox(self.figure.bbox)
        self.paper = None

    def say(self, shown: int) -> None:
        """Writes the line of numbers and, where something went wrong, what."""
        line = status_line(self.runs, shown)
        self.status.set(text=line, fontsize=10 if len(line) < 100 else 8)
        self.warning.set_text(warning_line(self.runs, self.landscape, shown))

    def pixels(self) -> np.ndarray:
        """What is on the canvas: shape (height, width, 3), uint8."""
        canvas: Any = self.figure.canvas
        return np.asarray(canvas.get_renderer().buffer_rgba())[:, :, :3]


def _marker_keys(look: _Look) -> list[tuple[str, str, str, str]]:
    """The legend of a single run: shape, colour of face and edge, and name of each marker."""
    edge = "black"
    return [
        ("s", look.paper, look.ink, "start"),
        ("o", LATEST_COLOR, edge, "latest"),
        ("*", LOWEST_COLOR, edge, "lowest"),
    ]


def _same(layer: _Layer) -> _Layer:
    return layer


@dataclass(frozen=True)
class _ValueLimits:
    """The limits of f in the panel, and the size above which its scale is logarithmic (0: nowhere)."""

    low: float
    high: float
    threshold: float


def _tight_limits(runs: Sequence[Run], landscape: _Landscape) -> _ValueLimits | None:
    """Returns what shows every finite f so far, None before there is one."""
    extents = [run.extent for run in runs if run.extent is not None]
    if not extents:
        return None
    low, high = min(extent[0] for extent in extents), max(extent[1] for extent in extents)
    usual = max([landscape.height, *(abs(run.points[0][-1]) for run in runs if run.points)])
    if math.isfinite(usual) and max(abs(low), abs(high)) > DIVERGING * usual:
        return _ValueLimits(10 * low if low < 0 else -0.3 * usual, 10 * high if high > 0 else 0.3 * usual, usual)
    margin = 0.06 * (high - low) or 0.5
    return _ValueLimits(low - margin, high + margin, 0.0)


def _rate_limit(runs: Sequence[Run]) -> float:
    return 1.15 * max((run.top_rate for run in runs if run.top_rate), default=1.0)


def _panel_layer(axes: Axes) -> _Layer:
    """What is visible of a panel now."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    return _Layer(lambda points: points, np.array([left, bottom]), np.array([right, top]))


def status_line(runs: Sequence[Run], shown: int) -> str:
    """The numbers of the latest step, in one line."""
    if not shown:
        return ""
    if runs[0].name:
        values = "   ".join(f"{run.name} {run.points[min(shown, len(run.points)) - 1][-1]:.4g}" for run in runs)
        return f"step {shown - 1}    f: {values}"
    run = runs[0]
    *place, value = run.points[shown - 1]
    line = f"step {shown - 1}    f = {value:.4g}    " + "   ".join(
        f"{name} = {coordinate:.4g}" for name, coordinate in zip("xy", place, strict=False)
    )
    best = run.lowest[shown - 1]
    if best >= 0:
        line += f"    lowest f = {run.points[best][-1]:.4g} at step {best}"
    if math.isfinite(run.rates[shown - 1]):
        line += f"    lr = {run.rates[shown - 1]:.4g}"
    return line


def warning_line(runs: Sequence[Run], landscape: _Landscape, shown: int) -> str:
    """What went wrong up to here, in words; empty while all is well."""
    told = []
    for run in runs:
        who = f"{run.name}: " if run.name else ""
        last = min(shown, len(run.points)) - 1
        if run.broken is not None and run.broken <= last:
            point = run.points[run.broken]
            names = (*"xy"[: len(point) - 1], "f")
            name, value = next((n, v) for n, v in zip(names, point, strict=True) if not math.isfinite(v))
            if math.isnan(value):
                told.append(f"{who}{name} is not a number (NaN) from step {run.broken} on")
            else:
                told.append(f"{who}diverged: {name} is {'-' if value < 0 else ''}infinity from step {run.broken} on")
        elif last >= 0:
            *place, value = run.points[last]
            low, high = landscape.low.tolist(), landscape.high.tolist()
            if abs(value) > DIVERGING * max(landscape.height, abs(run.points[0][-1])):
                told.append(f"{who}diverging: f = {value:.3g} at step {last}")
            elif any(not start <= x <= end for x, start, end in zip(place, low, high, strict=False)):
                where = ", ".join(f"{name} = {x:.3g}" for name, x in zip("xy", place, strict=False))
                told.append(f"{who}outside the picture: {where}")
    return "    ".join(told)


# ---------------------------------------------------------------------------------------------------------------------
# The finished picture as SVG
# ---------------------------------------------------------------------------------------------------------------------


SPACED = ' style="white-space:pre"'  # SVG text keeps several spaces in a row only when told so


def _bands(values: np.ndarray, low: float, high: float, num_bands: int = 16) -> np.ndarray:
    """Values as fractions of the way from low to high, in steps: contours without lines."""
    fractions = np.nan_to_num((values - low) / (high - low))
    return (np.floor(np.clip(fractions, 0, 0.999) * num_bands) + 0.5) / num_bands


def _hex(colors: np.ndarray) -> list[str]:
    """Colours as #rrggbb: from shape (n, 4), 0 to 1."""
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in (colors[:, :3] * 255).round().astype(int).tolist()]


def _text(
    x: float, y: float, text: str, look: _Look, *, anchor: str = "middle", size: float = 12, more: str = ""
) -> str:
    """Words at a place in pixels; `more` are further attributes."""
    style = f'fill="{to_hex(look.ink)}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}{more}>{html.escape(text)}</text>'


def _number_text(value: float) -> str:
    return f"{value:.4g}".replace("e+", "e").replace("-", "\N{MINUS SIGN}")


def _ticks(low: float, high: float, num_ticks: int = 4, whole: bool = False) -> list[float]:
    """A few round numbers between low and high."""
    ticks = MaxNLocator(num_ticks, steps=[1, 2, 5, 10], integer=whole).tick_values(low, high)
    return [float(tick) for tick in ticks if low <= tick <= high]


def _signed_log(values: np.ndarray, threshold: float) -> np.ndarray:
    """Linear up to the threshold, logarithmic beyond, with sign."""
    return np.sign(values) * np.log10(1 + np.abs(values) / threshold)


def _log_ticks(low: float, high: float, threshold: float) -> list[float]:
    powers = np.linspace(math.log10(threshold), math.log10(max(abs(low), abs(high))), 4)
    ticks = [0.0, *(sign * 10.0 ** round(power) for power in powers[1:] for sign in (1, -1))]
    return [tick for tick in ticks if low <= tick <= high]


def _sketch_axes(
    rect: Sequence[float],
    low: np.ndarray,
    high: np.ndarray,
    names: Sequence[str],
    look: _Look,
    threshold: float = 0.0,
    num_ticks: int = 5,
) -> tuple[list[str], Callable[[np.ndarray], np.ndarray]]:
    """Draws a frame with ticks.

    Args:
        rect: left, bottom, width, height as fractions of the figure.
        low: the lower limits of both directions, shape (2,).
        high: the upper limits.
        names: of the two directions.
        threshold: where the upward scale becomes logarithmic; 0 for a linear one.

    Returns:
        the shapes, and what takes data to pixels, both of shape (n, 2).
    """
    left, top = rect[0] * WIDTH, (1 - rect[1] - rect[3]) * HEIGHT
    width, height = rect[2] * WIDTH, rect[3] * HEIGHT

    def upward(values: np.ndarray) -> np.ndarray:
        return _signed_log(values, threshold) if threshold else values

    bottom_value, top_value = upward(np.array([low[1], high[1]]))

    def place(points: np.ndarray) -> np.ndarray:
        x = left + (points[:, 0] - low[0]) / (high[0] - low[0]) * width
        return np.column_stack([x, top + (top_value - upward(points[:, 1])) / (top_value - bottom_value) * height])

    shapes = [
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" stroke="{to_hex(look.ink)}"/>'
    ]
    for tick in _ticks(low[0], high[0], 5, whole=names[0] == "step") if names[0] else ():
        x = float(place(np.array([[tick, low[1]]]))[0, 0])
        shapes.append(_text(x, top + height + 16, _number_text(tick), look))
    values = _log_ticks(low[1], high[1], threshold) if threshold else _ticks(low[1], high[1], num_ticks)
    for tick in values:
        y = float(place(np.array([[low[0], tick]]))[0, 1])
        shapes.append(_text(left - 6, y + 4, _number_text(tick), look, anchor="end"))
    shapes.append(_text(left + width / 2, top + height + 34, names[0], look))
    x, y = left - 46, top + height / 2
    shapes.append(_text(x, y, names[1], look, more=f' transform="rotate(-90 {x:.1f} {y:.1f})"'))
    return shapes, place


class _View:
    """A surface in its box, seen from far away along (elev, azim)."""

    def __init__(self, surface: _Surface) -> None:
        self.surface = surface
        elev, azim = math.radians(surface.elev), math.radians(surface.azim)
        self.right = np.array([-math.sin(azim), math.cos(azim), 0.0])
        self.up = np.array([-math.sin(elev) * math.cos(azim), -math.sin(elev) * math.sin(azim), math.cos(elev)])
        self.near = np.array([math.cos(elev) * math.cos(azim), math.cos(elev) * math.sin(azim), math.sin(elev)])
        self.low = np.array([*surface.low[:2], surface.floor])
        self.high = surface.high
        flat = self.unit(self.corners()) @ np.column_stack([self.right, self.up])
        left, bottom, width, height = surface.rect
        room = np.array([width * WIDTH - 90, height * HEIGHT - 50])  # the rest is for the numbers around it
        self.scale = float((room / np.ptp(flat, axis=0)).min())
        self.middle = np.array([(left + width / 2) * WIDTH, (1 - bottom - height / 2) * HEIGHT])
        self.middle -= self.scale * np.array([1, -1]) * (flat.max(axis=0) + flat.min(axis=0)) / 2

    def corners(self) -> np.ndarray:
        """Of the box: shape (8, 3); index 4 x + 2 y + z, each 0 for low and 1 for high."""
        return np.array([[(self.low, self.high)[k >> (2 - axis) & 1][axis] for axis in range(3)] for k in range(8)])

    def unit(self, places: np.ndarray) -> np.ndarray:
        return ((places - self.low) / (self.high - self.low) - 0.5) * (1.0, 1.0, 0.75)

    def place(self, places: np.ndarray) -> np.ndarray:
        """From places in the box, shape (..., 3), to pixels, shape (..., 2)."""
        flat = self.unit(places) @ np.column_stack([self.right, self.up])
        return self.middle + self.scale * flat * (1, -1)

    def sketch(self, look: _Look) -> list[str]:
        surface = self.surface
        rows, columns = (np.unique(np.linspace(0, size - 1, 40).astype(int)) for size in surface.values.shape)
        grid = np.ix_(rows, columns)
        faces = _faces(surface.x[grid], surface.y[grid], surface.clipped()[grid])
        heights = faces[:, :, 2].mean(axis=1)
        floor = faces.copy()
        floor[:, :, 2] = surface.floor
        order = np.argsort(self.unit(faces.mean(axis=1)) @ self.near)
        low, high = surface.low[2], surface.high[2]
        shapes = ['<g shape-rendering="crispEdges">']
        shapes += _polygons(self.place(floor), look.surface_map(_bands(heights, low, high, 8)))
        shapes += ["</g>", *self.axes(look), f'<g stroke="{look.mesh[:7]}" stroke-opacity="0.4" stroke-width="0.6">']
        shapes += _polygons(self.place(faces[order]), look.surface_map((heights[order] - low) / (high - low)))
        return [*shapes, "</g>"]

    def axes(self, look: _Look) -> list[str]:
        """Numbers along the nearest edges of the floor, and up the leftmost edge of the box."""
        corners = self.corners()
        pixels, nearness = self.place(corners), self.unit(corners) @ self.near
        nearest = max((0, 2, 4, 6), key=lambda k: nearness[k])
        leftmost = min((0, 2, 4, 6), key=lambda k: pixels[k][0])
        shapes = []
        for axis, (start, end) in enumerate(((nearest, nearest ^ 4), (nearest, nearest ^ 2), (leftmost, leftmost ^ 1))):
            (x0, y0), (x1, y1) = pixels[start], pixels[end]
            shapes.append(f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="{look.landscape_line}"/>')
            outward = (pixels[start] + pixels[end]) / 2 - pixels.mean(axis=0)
            outward /= np.hypot(*outward) or 1.0
            low = float(self.surface.low[axis])
            is_long = math.hypot(x1 - x0, y1 - y0) > 60  # seen from its end, an axis has no room for numbers
            for tick in _ticks(low, float(self.high[axis]), 4) if is_long else ():
                spot = corners[start].copy()
                spot[axis] = tick
                x, y = self.place(spot) + 15 * outward
                shapes.append(_text(x, y + 4, _number_text(tick), look, size=11))
            x, y = (pixels[start] + pixels[end]) / 2 + 34 * outward
            shapes.append(_text(x, y + 4, "xyf"[axis], look))
        return shapes


def _faces(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The four-cornered faces of a surface on a grid, those without a value left out: shape (num_faces, 4, 3)."""
    corners = np.stack([x, y, z], axis=-1)
    faces = np.stack([corners[:-1, :-1], corners[1:, :-1], corners[1:, 1:], corners[:-1, 1:]], axis=2).reshape(-1, 4, 3)
    return faces[np.isfinite(faces).all(axis=(1, 2))]


def _polygons(corners: np.ndarray, colors: np.ndarray) -> list[str]:
    """Four-cornered shapes: corners of shape (n, 4, 2) in pixels, colours of shape (n, 4)."""
    rows = corners.reshape(-1, 8).round(1).tolist()
    return [
        f'<path d="M{a} {b}L{c} {d}L{e} {f}L{g} {h}z" fill="{color}"/>'
        for (a, b, c, d, e, f, g, h), color in zip(rows, _hex(colors), strict=True)
    ]


class _Sketch:
    """The finished run as SVG, without matplotlib's drawing.

    Attributes:
        svg: the drawing, showing the whole run.
        journeys: for each marker, in the order of the drawing's `data-mark`, its place "x,y" after every step.
        words: per step, the line of numbers and the warning.
    """

    def __init__(self, landscape: _Landscape, runs: Sequence[Run], look: _Look, has_history: bool = False) -> None:
        """Args:
        has_history: whether journeys and words are wanted for every step, or for the last one alone.
        """
        self.runs, self.look = runs, look
        self.num_points = max(len(run.points) for run in runs)
        self.last_step = float(max(self.num_points - 1, 1))
        self.told = range(1 if has_history else max(self.num_points, 1), self.num_points + 1)
        shapes, layers = landscape.sketch(look)
        self.trails = [_Trail(run, run.rows, partial(_same, layer), 1.0) for run in runs for layer in layers]
        shapes += self.panels(landscape)
        for trail in self.trails:
            shapes += self.path(trail)
        self.journeys: list[list[str | None]] = []
        for trail in self.trails:
            shapes += self.markers(trail)
        self.words = [(status_line(runs, shown), warning_line(runs, landscape, shown)) for shown in self.told]
        status, warning = self.words[-1] if self.words else ("no point yet", "")
        shapes += [
            *self.legend(),
            _text(16, 22, status, look, anchor="start", size=13, more=SPACED + ' data-part="status"'),
        ]
        shapes.append(
            f'<text x="16" y="45" fill="{look.warning}" font-size="13" font-weight="bold"{SPACED} data-part="warning">'
            f"{html.escape(warning)}</text>"
        )
        self.svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
            f'font-family="DejaVu Sans, Verdana, sans-serif" fill="none" role="img">'
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{to_hex(look.outside)}"/>{"".join(shapes)}</svg>'
        )

    def panels(self, landscape: _Landscape) -> list[str]:
        """Draws the frames of f and, when given, of the learning rate."""
        has_rates = any(run.top_rate is not None for run in self.runs)
        limits = _tight_limits(self.runs, landscape) or _ValueLimits(0.0, 1.0, 0.0)
        left, right = -0.04 * self.last_step, 1.04 * self.last_step
        name = "f (log scale)" if limits.threshold else "f"
        low, high = np.array([left, limits.low]), np.array([right, limits.high])
        rect, below = (UPPER_RECT, "") if has_rates else (PANEL_RECT, "step")
        shapes = self.panel(rect, low, high, (below, name), [run.value_rows for run in self.runs], limits.threshold)
        if has_rates:
            low, high = np.array([left, 0.0]), np.array([right, _rate_limit(self.runs)])
            shapes += self.panel(LOWER_RECT, low, high, ("step", "lr"), [run.rate_rows for run in self.runs], 0.0)
        return shapes

    def panel(
        self,
        rect: Sequence[float],
        low: np.ndarray,
        high: np.ndarray,
        names: tuple[str, str],
        rows: Sequence[Callable[[int, int], np.ndarray]],
        threshold: float,
    ) -> list[str]:
        shapes, place = _sketch_axes(rect, low, high, names, self.look, threshold, 2 if names[1] == "lr" else 5)
        layer = partial(_same, _Layer(place, low, high))
        self.trails += [_Trail(run, row, layer, PANEL_SCALE) for run, row in zip(self.runs, rows, strict=True)]
        return shapes

    def path(self, trail: _Trail) -> list[str]:
        """The pieces of the path and the dots, each with the step at which it appears."""
        segments, steps = trail.segments(0, self.num_points)
        colors = _hex(trail.colors(steps, self.last_step, self.look))
        ends = segments.reshape(-1, 4).round(1).tolist()
        shapes = [f'<g stroke-width="{1.4 * trail.width:.1f}" stroke-linecap="round">']
        if trail.has_halo:
            halo = (
                f'<g stroke="{to_hex(self.look.paper)}" stroke-width="{2.7 * trail.width:.1f}" stroke-linecap="round">'
            )
            lines = zip(ends, steps.tolist(), strict=True)
            pieces = [f'<path d="M{x0} {y0}L{x1} {y1}" data-step="{step}"/>' for (x0, y0, x1, y1), step in lines]
            shapes = [halo, *pieces, "</g>", *shapes]
        shapes += [
            f'<path d="M{x0} {y0}L{x1} {y1}" stroke="{color}" data-step="{step}"/>'
            for (x0, y0, x1, y1), color, step in zip(ends, colors, steps.tolist(), strict=True)
        ]
        if trail.has_dots and self.last_step <= MOST_DOTS:
            places, steps = trail.points(0, self.num_points)
            colors = _hex(trail.colors(steps, self.last_step, self.look))
            shapes.append(f'</g><g stroke="{to_hex(self.look.paper)}" stroke-width="0.8">')
            shapes += [
                f'<circle cx="{x}" cy="{y}" r="{1.3 * trail.width:.1f}" fill="{color}" data-step="{step}"/>'
                for (x, y), color, step in zip(places.round(1).tolist(), colors, steps.tolist(), strict=True)
            ]
        return [*shapes, "</g>"]

    def markers(self, trail: _Trail) -> list[str]:
        """The markers where they end, and a note of where they were."""
        places = [place and f"{place[0]:.1f},{place[1]:.1f}" for place in trail.all_marks()]
        journeys: dict[str, list[str | None]] = {}
        for shown in self.told:
            for kind, step in trail.marked_steps(shown).items():
                journeys.setdefault(kind, []).append(places[step] if step >= 0 else None)
        self.journeys += journeys.values()
        return [
            _sketch_marker(*trail.marker(kind, self.look), trail.marker_sizes[kind], places[-1], " data-mark=''")
            for kind, places in journeys.items()
        ]

    def legend(self) -> list[str]:
        """The runs by name, or the three markers."""
        look, shapes = self.look, []
        if self.runs[0].name:
            for k, run in enumerate(self.runs):
                y, color = (1 - PANEL_RECT[1] - PANEL_RECT[3]) * HEIGHT + 16 + 17 * k, run.color or LATEST_COLOR
                shapes.append(_sketch_marker(run.marker, color, "black", 7, f"{WIDTH - 30},{y:.1f}"))
                shapes.append(_text(WIDTH - 42, y + 4, run.name, look, anchor="end"))
            return shapes
        for x, (shape, face, edge, name) in zip((568, 650, 740), _marker_keys(look), strict=True):
            shapes.append(_sketch_marker(shape, face, edge, 11 if shape == "*" else 7, f"{x},45"))
            shapes.append(_text(x + 12, 49, name, look, anchor="start"))
        return shapes


def _sketch_marker(shape: str, face: str, edge: str, size: float, place: str | None, more: str = "") -> str:
    """One of matplotlib's markers; size in points, place as "x,y" in pixels."""
    scale = size * DPI / 72
    outline = " ".join(f"{x * scale:.1f},{-y * scale:.1f}" for part in _outline(shape).to_polygons() for x, y in part)
    where = f'transform="translate({place})"' if place else 'style="display:none"'
    return (
        f'<polygon points="{outline}" fill="{to_hex(face)}" stroke="{to_hex(edge)}" stroke-width="1.5" {where}{more}/>'
    )


# ---------------------------------------------------------------------------------------------------------------------
# Where the picture is shown
# ---------------------------------------------------------------------------------------------------------------------


def _ipython() -> Any:
    """The running IPython shell, None in plain Python."""
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    return get_ipython()


def _png(pixels: np.ndarray) -> bytes:
    """Encodes pixels, shape (height, width, 3), uint8.

    Rows go to zlib as they are (filter 0 of the PNG specification, section 9.2): a plot is mostly of one colour, so
    this comes out as small as with the usual search for the best filter, in a quarter of the time.
    """
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 3 * width), dtype=np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits per channel, RGB
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 1)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def _bundle(picture: _Picture) -> tuple[dict[str, str], dict[str, Any]]:
    """A picture as a notebook output: the data by MIME type, and the metadata."""
    pixels = picture.pixels()
    data = {
        "image/png": base64.b64encode(_png(pixels)).decode("ascii"),
        "text/plain": _in_words(picture.status.get_text(), picture.warning.get_text()),
    }
    return data, {"image/png": {"width": pixels.shape[1], "height": pixels.shape[0]}}


def _in_words(status: str, warning: str) -> str:
    """The picture for those who cannot see it."""
    return " ".join(f"Live plot: {status or 'no point yet'} {warning}".split())


class _Nowhere:
    """Grading, or no screen: nothing is drawn per step; in IPython the finished picture is shown once, as SVG."""

    def __init__(self, plot: LivePlot) -> None:
        """Opens the stage, with no point yet."""
        self.plot = plot

    def update(self) -> None:
        """Called after every point."""

    def finish(self) -> None:
        """Called when the cell ends in which points came."""
        from IPython.display import display

        sketch = _Sketch(self.plot.landscape, self.plot.runs, self.plot.look)
        display({"image/svg+xml": sketch.svg, "text/plain": _in_words(*sketch.words[-1])}, raw=True)


class _Inline:
    """One output of the notebook, updated in place by its display id: JupyterLab, Notebook, VS Code, Colab."""

    def __init__(self, plot: LivePlot) -> None:
        from IPython.display import display

        self.plot = plot
        self.picture = plot.new_picture()
        self.picture.compose(0)
        data, metadata = _bundle(self.picture)
        self.handle: Any = display(data, raw=True, metadata=metadata, display_id=True)
        self.next_frame_at = 0.0  # on the monotonic clock, in seconds

    def update(self) -> None:
        if time.monotonic() >= self.next_frame_at:
            self.picture.rescale()
            self.send()
        time.sleep(self.plot.delta_)

    def finish(self) -> None:
        self.picture.rescale(is_final=True)
        self.send()

    def send(self) -> None:
        self.picture.compose(self.plot.num_points)
        data, metadata = _bundle(self.picture)
        self.handle.update(data, raw=True, metadata=metadata)
        self.next_frame_at = time.monotonic() + len(data["image/png"]) / MAX_BYTES_PER_SECOND


class _Canvas:
    """A matplotlib canvas that lives: a window, or what `%matplotlib widget` has in a notebook."""

    def __init__(self, plot: LivePlot, show: Callable[[Any], None] | None = None) -> None:
        """Args:
        show: shows the canvas; in its own window when None.
        """
        from matplotlib import pyplot

        self.plot = plot
        with pyplot.ioff(), matplotlib.rc_context({"figure.max_open_warning": 0}):
            figure = pyplot.figure(figsize=FIGURE_SIZE, dpi=DPI)
        self.picture = plot.new_picture(figure)
        self.canvas: Any = figure.canvas
        self.manager: Any = figure.canvas.manager
        self.is_closed = False
        self.canvas.mpl_connect("close_event", self.note_closing)
        if show is None:
            self.manager.show()
            self.draw()
        else:
            self.picture.rescale(is_final=True)
            self.draw()
            show(self.canvas)

    def note_closing(self, _event: Any) -> None:
        self.is_closed = True

    def update(self) -> None:
        if self.is_closed:
            return
        self.picture.rescale()
        if hasattr(self.canvas, "get_renderer") and self.canvas.supports_blit:
            self.picture.compose(self.plot.num_points)
            self.canvas.blit(self.picture.figure.bbox)
            self.canvas.flush_events()
        else:  # a backend without Agg's pixels: a full draw per point
            self.draw()
        if self.plot.delta_ > 0 and not self.is_closed:
            self.canvas.start_event_loop(self.plot.delta_)

    def finish(self) -> None:
        if not self.is_closed:
            self.picture.rescale(is_final=True)
            self.draw()

    def draw(self) -> None:
        self.picture.shown = self.plot.num_points
        self.picture.say(self.picture.shown)
        self.canvas.draw()
        self.canvas.flush_events()


class _Widget(_Inline):
    """`%matplotlib widget`: a picture while the cell runs, and in its place, once the cell is over, the canvas.

    ipympl's canvas needs answers from the browser before it shows anything, and a kernel hears none while it runs a
    cell (ipympl 0.10). Later cells draw on the canvas itself.
    """

    def __init__(self, plot: LivePlot) -> None:
        super().__init__(plot)
        self.live: _Canvas | None = None

    def update(self) -> None:
        if self.live is None:
            super().update()
        else:
            self.live.update()

    def finish(self) -> None:
        if self.live is None:
            self.live = _Canvas(self.plot, self.take_place)
            self.picture = self.live.picture
        else:
            self.live.finish()

    def take_place(self, canvas: Any) -> None:
        """Puts the canvas where the picture was."""
        canvas.header_visible = False
        self.handle.update(canvas)


def _open_stage(plot: LivePlot) -> _Nowhere | _Inline | _Canvas:
    """Finds out where the picture can be shown, and shows it there."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return _Nowhere(plot)
    backend = matplotlib.get_backend().lower()
    if "inline" in backend:
        # a script started from a notebook inherits the backend's name, but has no notebook to show anything in
        return _Inline(plot) if _ipython() is not None else _Nowhere(plot)
    if backend in {"agg", "cairo", "pdf", "pgf", "ps", "svg", "template"}:
        return _Nowhere(plot)
    if "ipympl" in backend or backend == "widget":
        return _Widget(plot) if _ipython() is not None else _Nowhere(plot)
    try:
        return _Canvas(plot)
    except ImportError:  # what matplotlib raises when a window's backend finds no screen
        return _Nowhere(plot)


# ---------------------------------------------------------------------------------------------------------------------
# The plot, and the functions over it
# ---------------------------------------------------------------------------------------------------------------------


class LivePlot:
    """A landscape and the runs of one or more optimizers on it, shown as they happen.

    Two of them can live at once: each has its own figure, and none is known to `matplotlib.pyplot` unless it needs a
    window.

    Attributes:
        runs: what has happened so far, one `Run` per optimizer.
        figure: the matplotlib figure, for whoever wants to change it.
    """

    def __init__(self, landscape: _Landscape, runs: Sequence[Run], delta_: float) -> None:
        self.landscape, self.runs, self.delta_ = landscape, list(runs), delta_
        self.look = _Look()
        self._ends_with_cell = False
        self.stage = _open_stage(self)
        if isinstance(self.stage, _Widget):
            self._finish_with_cell()  # even without a point: the canvas is worth having

    def new_picture(self, figure: Figure | None = None) -> _Picture:
        """Returns the landscape on a figure of its own, or on the given one."""
        if figure is None:
            figure = Figure(figsize=FIGURE_SIZE, dpi=DPI)
            FigureCanvasAgg(figure)
        return _Picture(figure, self.landscape, self.runs, self.look)

    @property
    def figure(self) -> Figure:
        return self._still.figure if isinstance(self.stage, _Nowhere) else self.stage.picture.figure

    @property
    def num_points(self) -> int:
        """Points per run so far; that of the longest run."""
        return max(len(run.points) for run in self.runs)

    def add_point(self, *point: Any, lr: Any = None) -> None:
        """Adds the next point of a plot with one run, draws it, and waits `delta_` seconds.

        Args:
            point: the coordinates and then f, each one number: x, f or x, y, f.
            lr: the learning rate, when it is to be shown too.
        """
        names = (*self.landscape.names, "f")
        if len(point) != len(names):
            raise TypeError(f"add_point wants {', '.join(names)}, but got {len(point)} values")
        self._add(0, [_number(value, "add_point", name) for value, name in zip(point, names, strict=True)], lr)
        self._show_step()

    def _add(self, run: int, point: Sequence[float], lr: Any = None) -> None:
        rate = math.nan if lr is None else _number(lr, "add_point", "lr")
        self.runs[run].add(tuple(point), rate)

    def _show_step(self) -> None:
        self._finish_with_cell()
        self.stage.update()

    def _finish_with_cell(self) -> None:
        """Has the finished picture shown when IPython ends the cell in which this point came."""
        shell = None if self._ends_with_cell else _ipython()
        if shell is None:
            return

        def finish() -> None:
            shell.events.unregister("post_execute", finish)
            self._ends_with_cell = False
            self.stage.finish()

        shell.events.register("post_execute", finish)
        self._ends_with_cell = True

    def __repr__(self) -> str:
        return f"<LivePlot of {len(self.runs)} run(s), {self.num_points} points>"

    # The finished run

    @cached_property
    def _still(self) -> _Picture:
        """A picture away from the screen."""
        return self.new_picture()

    def frame(self, step: int) -> np.ndarray:
        """Returns the finished run as it was when `step` came: shape (height, width, 3), uint8."""
        self._still.rescale(is_final=True)
        self._still.compose(min(max(step + 1, 0), self.num_points))
        return self._still.pixels().copy()

    def save(self, path: str | os.PathLike[str], seconds_per_step: float = 0.15) -> Path:
        """Writes the run to a file; its ending says as what.

        Args:
            path: .gif and .mp4 (needs ffmpeg) are films, .html is a player with a slider that needs nothing else;
                .png, .svg and .pdf are the finished picture.
            seconds_per_step: the pace of films and player.

        Returns:
            the path.
        """
        path = Path(path)
        kind = path.suffix.lower()
        wanted = (".gif", ".mp4", ".html", ".png", ".svg", ".pdf")
        if kind not in wanted:
            raise ValueError(f"save wants a path that ends in one of {', '.join(wanted)}, but got {str(path)!r}")
        if not self.num_points:
            raise ValueError("save wants a run, but no point has been added yet")
        if kind == ".html":
            path.write_text(_page(self.player(seconds_per_step)), encoding="utf-8")
        elif kind == ".gif":
            _write_gif(path, self._film(), seconds_per_step)
        elif kind == ".mp4":
            _write_mp4(path, self._film(), seconds_per_step)
        else:
            self._still.rescale(is_final=True)
            self._still.shown = self.num_points
            self._still.say(self.num_points)
            self._still.figure.savefig(path, dpi=2 * DPI)
        return path

    def _film(self) -> list[np.ndarray]:
        steps = np.linspace(0, self.num_points - 1, min(self.num_points, MAX_SAVED_FRAMES)).astype(int)
        return [self.frame(int(step)) for step in steps]

    def player(self, seconds_per_step: float = 0.15) -> str:
        """Returns the run as a piece of HTML with a play button and a slider, for `IPython.display.HTML`."""
        return _player(_Sketch(self.landscape, self.runs, self.look, has_history=True), seconds_per_step)

    def slider(self) -> None:
        """Shows the finished run with a slider to step back and forth: ipywidgets where present, else the player.

        Where nobody is watching it shows nothing more than the finished picture.
        """
        if isinstance(self.stage, _Nowhere):
            return
        from IPython.display import HTML, display

        try:
            import ipywidgets
        except ImportError:
            display(HTML(self.player()))
            return
        last = max(self.num_points - 1, 0)
        image = ipywidgets.Image(value=_png(self.frame(last)), format="png", width=FIGURE_SIZE[0] * DPI)
        play = ipywidgets.Play(value=last, min=0, max=last, interval=150)
        slide = ipywidgets.IntSlider(value=last, min=0, max=last, description="step")
        ipywidgets.jslink((play, "value"), (slide, "value"))

        def turn_to(change: dict[str, Any]) -> None:
            image.value = _png(self.frame(change["new"]))

        slide.observe(turn_to, names="value")
        display(ipywidgets.VBox([image, ipywidgets.HBox([play, slide])]))


_current: dict[str, LivePlot] = {}  # the plots that add_point_2d and add_point_3d speak of: the last ones made


def init_2dplot(x_range: Any, func: Callable[..., Any], delta_: float = 0.1) -> LivePlot:
    """Shows the curve f(x) and makes it the one that `add_point_2d` draws on.

    Args:
        x_range: where to draw f, such as torch.arange(-10, 10, 0.1); shape (num_values,).
        func: the objective f(x).
        delta_: pause between points, in seconds; never waited when grading.

    Returns:
        the plot: `.save(path)`, `.slider()`, and `.add_point(x, f)` where several plots live at once.
    """
    caller = "init_2dplot"
    landscape = _Curve(_range(x_range, caller, "x_range"), func, caller)
    _current["2d"] = LivePlot(landscape, [Run()], _seconds(delta_, caller))
    return _current["2d"]


def add_point_2d(x: Any, y: Any, lr: Any = None) -> None:
    """Draws the next point of the run on the curve.

    Args:
        x: where the optimizer is; a number or a tensor with one element.
        y: f there; likewise.
        lr: the learning rate of the step, when it is to be shown too; likewise.
    """
    _add_point("2d", {"x": x, "y": y}, lr)


def init_3dplot(
    x_range: Any, y_range: Any, func: Callable[..., Any], elev: float = 40, azim: float = 250, delta_: float = 0.1
) -> LivePlot:
    """Shows the surface f(x, y) and makes it the one that `add_point_3d` draws on.

    Args:
        x_range: the grid along x, such as torch.arange(-10, 10, 1.0); shape (num_x,).
        y_range: the grid along y; shape (num_y,).
        func: the objective f(x, y).
        elev: the height of the eye above the floor, in degrees.
        azim: the direction it looks from, in degrees around the vertical axis.
        delta_: pause between points, in seconds; never waited when grading.

    Returns:
        the plot: `.save(path)`, `.slider()`, and `.add_point(x, y, f)` where several plots live at once.
    """
    caller = "init_3dplot"
    x, y = _range(x_range, caller, "x_range"), _range(y_range, caller, "y_range")
    angles = _number(elev, caller, "elev"), _number(azim, caller, "azim")
    _current["3d"] = LivePlot(_Surface(x, y, func, *angles, caller), [Run()], _seconds(delta_, caller))
    return _current["3d"]


def add_point_3d(x: Any, y: Any, z: Any, lr: Any = None) -> None:
    """Draws the next point of the run on the surface.

    Args:
        x: where the optimizer is, along x; a number or a tensor with one element.
        y: the same along y.
        z: f there; likewise.
        lr: the learning rate of the step, when it is to be shown too; likewise.
    """
    _add_point("3d", {"x": x, "y": y, "z": z}, lr)


def _add_point(kind: str, point: Mapping[str, Any], lr: Any) -> None:
    caller = f"add_point_{kind}"
    if kind not in _current:
        raise RuntimeError(f"{caller} wants a plot to draw on: call init_{kind}plot(...) first")
    numbers = [_number(value, caller, name) for name, value in point.items()]
    _current[kind]._add(0, numbers, None if lr is None else _number(lr, caller, "lr"))
    _current[kind]._show_step()


class Trajectories(dict[str, np.ndarray]):
    """What `race` returns: by name, the coordinates and f(x_t) per pass, shape (iterations, num_coordinates + 1).

    Attributes:
        plot: the picture of the race, for `.save(path)` and `.slider()`.
    """

    plot: LivePlot


def race(
    func: Callable[..., Any],
    start: Any,
    optimizers: Mapping[str, Callable[[list[torch.Tensor]], torch.optim.Optimizer]],
    iterations: int,
    *,
    x_range: Any = None,
    y_range: Any = None,
    delta_: float = 0.05,
) -> Trajectories:
    """Runs several optimizers on one landscape and draws their paths together.

    Args:
        func: the objective, f(x) or f(x, y).
        start: where all of them begin: one number, or two for f(x, y).
        optimizers: by name, a function that takes the list of parameters and returns an optimizer.
        iterations: passes; every optimizer makes one step per pass.
        x_range: where to draw f; chosen so that the paths are seen when None.
        y_range: the same along y.
        delta_: pause between passes, in seconds; never waited when grading.

    Returns:
        by name, one row per pass: the coordinates before the update and f there. `.plot` is the picture.

    Example:
        >>> adam = lambda params: torch.optim.Adam(params, lr=0.5)
        >>> paths = race(lambda x, y: x**2 + 9 * y**2, (6, 2), {"Adam": adam}, 20, delta_=0)
        >>> paths["Adam"].shape
        (20, 3)
    """
    place = _start(start)
    if not isinstance(iterations, int) or iterations < 1:
        raise ValueError(f"race wants a whole number of passes for iterations, 1 or more, but got {iterations!r}")
    if not isinstance(optimizers, Mapping) or not optimizers:
        raise TypeError(f"race wants optimizers as a dict {{'SGD': lambda params: ...}}, but got {optimizers!r:.60}")
    paths = Trajectories((name, _descend(func, place, name, make, iterations)) for name, make in optimizers.items())

    runs = [
        Run(str(name), RUN_COLORS[k % len(RUN_COLORS)], RUN_MARKERS[k % len(RUN_MARKERS)])
        for k, name in enumerate(paths)
    ]
    given = (x_range, y_range)[: len(place)]
    ranges = [
        _range(values, "race", f"{name}_range") if values is not None else _range_of_paths(paths, axis, len(place))
        for axis, (name, values) in enumerate(zip("xy", given, strict=False))
    ]
    landscape = _Curve(ranges[0], func, "race") if len(place) == 1 else _Map(ranges[0], ranges[1], func, "race")
    paths.plot = LivePlot(landscape, runs, _seconds(delta_, "race"))
    for step in range(iterations):
        for k, path in enumerate(paths.values()):
            paths.plot._add(k, path[step].tolist())
        paths.plot._show_step()
    return paths


def _start(start: Any) -> list[float]:
    """The coordinates of a start: one number or two."""
    if isinstance(start, torch.Tensor):
        start = start.detach().cpu().reshape(-1).tolist()
    numbers = list(start) if isinstance(start, Iterable) and not isinstance(start, str) else [start]
    if len(numbers) not in (1, 2):
        raise ValueError(f"race wants one number for start, or two for f(x, y), but got {len(numbers)}")
    return [_number(number, "race", "start") for number in numbers]


def _descend(
    func: Callable[..., Any],
    start: Sequence[float],
    name: str,
    make: Callable[[list[torch.Tensor]], torch.optim.Optimizer],
    iterations: int,
) -> np.ndarray:
    """Runs one optimizer: the coordinates and f before every update, shape (iterations, len(start) + 1), float64."""
    parameters = [torch.tensor([coordinate], requires_grad=True) for coordinate in start]
    optimizer = make(parameters) if callable(make) else None
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise TypeError(
            f"race wants, for {name!r}, a function that takes the parameters and returns an optimizer, such as "
            f"lambda params: torch.optim.SGD(params, lr=0.1), but got {optimizer or make!r:.60}"
        )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value: torch.Tensor = func(*parameters).sum()
        value.backward()
        if len(rows) == step:  # the first look of a step is where it begins
            rows.append([*(p.item() for p in parameters), value.item()])
        return value

    rows: list[list[float]] = []
    for step in range(iterations):
        optimizer.step(closure)
        if len(rows) == step:  # an optimizer of somebody's own that does not look
            closure()
    return np.array(rows)


def _range_of_paths(paths: Mapping[str, np.ndarray], axis: int, num_axes: int) -> np.ndarray:
    """A range along one coordinate on which the paths are seen, but not the far end of one that runs away."""
    start = next(iter(paths.values()))[0, axis]
    places = [path[np.isfinite(path).all(axis=1), axis] for path in paths.values()]
    ways = sorted(way for place in places if (way := float(np.abs(place - start).max(initial=0))))
    reach = 2.5 * ways[(len(ways) - 1) // 2] if ways else 1.0
    seen = np.concatenate([np.clip(place, start - reach, start + reach) for place in places] or [[start]])
    margin = 0.25 * float(np.ptp(seen)) or 1.0
    return np.linspace(float(seen.min()) - margin, float(seen.max()) + margin, 300 if num_axes == 1 else MAX_MESH_LINES)


# ---------------------------------------------------------------------------------------------------------------------
# Files: films and the player
# ---------------------------------------------------------------------------------------------------------------------


def _write_gif(path: Path, frames: Sequence[np.ndarray], seconds_per_frame: float) -> None:
    from PIL import Image  # matplotlib brings it

    pictures = [Image.fromarray(frame).quantize(64, dither=Image.Dither.NONE) for frame in frames]
    milliseconds = round(1000 * seconds_per_frame)
    durations = [milliseconds] * (len(pictures) - 1) + [milliseconds + 1500]  # rest on the last one
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=durations, loop=0)


def _write_mp4(path: Path, frames: Sequence[np.ndarray], seconds_per_frame: float) -> None:
    program = shutil.which(matplotlib.rcParams["animation.ffmpeg_path"])
    if program is None:
        raise RuntimeError(
            "save wants the program ffmpeg for .mp4, and it is not installed; .gif and .html need nothing"
        )
    height, width = frames[0].shape[0] // 2 * 2, frames[0].shape[1] // 2 * 2  # H.264 takes even sizes only
    command = [program, "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    command += ["-r", f"{1 / max(seconds_per_frame, 0.01):.4f}", "-i", "-", "-pix_fmt", "yuv420p", str(path)]
    film = b"".join(np.ascontiguousarray(frame[:height, :width]).tobytes() for frame in frames)
    done = subprocess.run(command, input=film, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ffmpeg could not write {path}: {done.stderr.decode(errors='replace').strip()}")


PLAYER = """\
<div id="@ID@" style="max-width:@WIDTH@px;background:@PAPER@;color:@INK@;font:14px sans-serif">
@DRAWING@
<div style="display:flex;gap:8px;align-items:center;padding:2px 12px 8px">
<button type="button" data-part="back" aria-label="one step back">&#9664;</button>
<button type="button" data-part="play" style="width:5em">Play</button>
<button type="button" data-part="forth" aria-label="one step forth">&#9654;</button>
<input type="range" min="0" max="@LAST@" value="@LAST@" data-part="step" aria-label="step" style="flex:1">
</div>
<script>
(function () {
  const root = document.getElementById("@ID@"), run = @RUN@;
  const part = name => root.querySelector('[data-part="' + name + '"]');
  const pieces = [...root.querySelectorAll("[data-step]")], marks = [...root.querySelectorAll("[data-mark]")];
  const slider = part("step");
  let timer = null;
  function show(step) {
    slider.value = step;
    pieces.forEach(piece => { piece.style.display = +piece.dataset.step <= step ? "" : "none"; });
    marks.forEach((mark, k) => {
      const place = run.journeys[k][step];
      mark.style.display = place ? "" : "none";
      if (place) mark.setAttribute("transform", "translate(" + place + ")");
    });
    [part("status").textContent, part("warning").textContent] = run.words[step];
  }
  function stop() { clearInterval(timer); timer = null; part("play").textContent = "Play"; }
  function move(by) { stop(); show(Math.min(Math.max(+slider.value + by, 0), run.last)); }
  part("back").onclick = () => move(-1);
  part("forth").onclick = () => move(1);
  slider.oninput = () => { stop(); show(+slider.value); };
  part("play").onclick = () => {
    if (timer) return stop();
    if (+slider.value === run.last) show(0);
    part("play").textContent = "Pause";
    timer = setInterval(() => { show(+slider.value + 1); if (+slider.value === run.last) stop(); }, run.pace);
  };
})();
</script>
</div>
"""


def _player(sketch: _Sketch, seconds_per_step: float) -> str:
    """The run as a piece of HTML; without scripts it shows the finished run."""
    last = sketch.num_points - 1
    run = {"last": last, "pace": 1000 * seconds_per_step, "words": sketch.words, "journeys": sketch.journeys}
    pieces = {
        "ID": f"run-{uuid.uuid4().hex[:12]}",
        "WIDTH": WIDTH,
        "PAPER": to_hex(sketch.look.outside),
        "INK": to_hex(sketch.look.ink),
        "LAST": str(last),
        "RUN": json.dumps(run).replace("<", "\\u003c"),
        "DRAWING": sketch.svg.replace(f'width="{WIDTH}" font', 'width="100%" font', 1),
    }
    page = PLAYER
    for name, piece in pieces.items():
        page = page.replace(f"@{name}@", str(piece))
    return page


def _page(player: str) -> str:
    head = '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>A run, step by step</title>\n'
    return f"{head}<body>\n{player}</body>\n</html>\n"
