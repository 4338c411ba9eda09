"""The live plots: what they accept, what they show where, and that the quick ways of drawing draw the same.

`python tests/unit/test_live_plot.py` writes the reference images anew; look at them before committing.
"""

from __future__ import annotations

import ast
import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib

matplotlib.use("agg")

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib import pyplot as plt
from PIL import Image
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[2]
IMAGES = Path(__file__).resolve().parent / "live_plot_images"
sys.path.insert(0, str(ROOT))

import live_plot  # noqa: E402 - it lies at the top of the course, which is no package

STYLES = {"light": "default", "dark": "dark_background"}


# What the lesson draws


def wavy(x: torch.Tensor) -> torch.Tensor:
    return x**2 / 20 + torch.tanh(torch.sin(x))


SURFACES: dict[str, dict[str, Any]] = {
    "saddle": {
        "f": lambda x, y: x**2 - y**2,
        "grid": (torch.arange(-10.0, 10, 1), torch.arange(-15.0, 10, 2)),
        "view": (40, 250),
        "start": (6.0, 0.0),
        "lr": 0.1,
    },
    "slide": {
        "f": lambda x, y: x**3 - y**3,
        "grid": (torch.arange(-10.0, 15, 1), torch.arange(-15.0, 10, 2)),
        "view": (30, 130),
        "start": (10.0, -4.0),
        "lr": 0.005,
    },
    "ripples": {
        "f": lambda x, y: torch.sin(torch.sqrt(x**2 + y**2)),
        "grid": (torch.arange(-10, 10, 0.5), torch.arange(-10.0, 10, 1)),
        "view": (80, 130),
        "start": (4.0, -5.0),
        "lr": 0.5,
    },
    "canyon": {
        "f": lambda x, y: wavy(x) * abs(y) ** 1.2 + 5 * abs(x) + (y + 7) ** 2 / 10,
        "grid": (torch.arange(-10.0, 12, 1), torch.arange(-25.0, 5, 1)),
        "view": (37, 120),
        "start": (6.0, -15.0),
        "lr": 0.15,
    },
}


def run_2d() -> live_plot.LivePlot:
    """Adam on the curve, 15 passes."""
    x = torch.tensor([8.0], requires_grad=True)
    optimizer = torch.optim.Adam([x], lr=3)
    plot = live_plot.init_2dplot(torch.arange(-10, 10, 0.1), wavy, delta_=0.2)
    for _ in range(15):
        value = wavy(x)
        live_plot.add_point_2d(x, value)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    return plot


def run_3d(name: str, num_passes: int = 20) -> live_plot.LivePlot:
    """SGD on one of the surfaces."""
    surface = SURFACES[name]
    x, y = (torch.tensor([number], requires_grad=True) for number in surface["start"])
    optimizer = torch.optim.SGD([x, y], lr=surface["lr"], momentum=0.5)
    plot = live_plot.init_3dplot(*surface["grid"], surface["f"], *surface["view"], delta_=0.1)
    for _ in range(num_passes):
        value = surface["f"](x, y)
        live_plot.add_point_3d(x, y, value)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    return plot


def run_diverging() -> live_plot.LivePlot:
    """Gradient descent with far too large a rate, until f is infinite; the rate is shown too."""
    plot = live_plot.init_2dplot(torch.arange(-10, 10, 0.1), torch.square, delta_=0)
    x = torch.tensor(1.0)
    for step in range(80):
        rate = 3 * 0.99**step
        live_plot.add_point_2d(x, x**2, lr=rate)
        x = x - rate * 2 * x
    return plot


RACERS: dict[str, Callable[[list[torch.Tensor]], torch.optim.Optimizer]] = {
    "SGD": lambda params: torch.optim.SGD(params, lr=0.9),
    "momentum": lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9),
    "RMSprop": lambda params: torch.optim.RMSprop(params, lr=0.2),
    "Adam": lambda params: torch.optim.Adam(params, lr=0.5),
}


def run_race_2d() -> live_plot.LivePlot:
    return live_plot.race(lambda x, y: x**2 / 20 + y**2, (-9, 3), RACERS, 30, delta_=0).plot


def run_race_1d() -> live_plot.LivePlot:
    return live_plot.race(wavy, 8, RACERS, 15, delta_=0).plot


DRAWN: dict[str, Callable[[], live_plot.LivePlot]] = {
    "curve": run_2d,
    **{name: lambda name=name: run_3d(name) for name in SURFACES},  # type: ignore[misc]
    "race_1d": run_race_1d,
    "race_2d": run_race_2d,
    "diverging": run_diverging,
}


# Comparing pictures


def shrunk(pixels: np.ndarray) -> np.ndarray:
    """A third of the size, by averaging: what remains does not hang on how a font is smoothed."""
    height, width = (size // 3 * 3 for size in pixels.shape[:2])
    return pixels[:height, :width].reshape(height // 3, 3, width // 3, 3, 3).mean(axis=(1, 3)).round().astype(np.uint8)


def worst_block(one: np.ndarray, other: np.ndarray, size: int = 10) -> float:
    """The largest mean difference in any block of size x size pixels, of 255: a lost marker is not averaged away."""
    assert one.shape == other.shape
    height, width = (length // size * size for length in one.shape[:2])
    gap = np.abs(one.astype(float) - other)[:height, :width].mean(axis=2)
    return float(gap.reshape(height // size, size, width // size, size).mean(axis=(1, 3)).max())


def pictures(name: str, style: str) -> np.ndarray:
    """Start, middle and end of a run, one above the other."""
    with plt.style.context(STYLES[style]):
        plot = DRAWN[name]()
        steps = (0, plot.num_points // 2, plot.num_points - 1)
        return np.vstack([shrunk(plot.frame(step)) for step in steps])


TOLERANCE = 8.0  # of 255, in the worst block; one step more or less makes 20 and more


@pytest.fixture(autouse=True)
def _nobody_watches(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test begins with Agg, no grading, no plot, and ends with no figure left in pyplot."""
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    live_plot._current.clear()
    yield
    plt.close("all")


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    """An IPython without a kernel and without a history file."""
    config = Config()
    config.HistoryManager.enabled = False
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=config)
    shell.user_ns.update(live_plot=live_plot, torch=torch)
    yield shell
    InteractiveShell.clear_instance()


@contextmanager
def backend(name: str) -> Iterator[None]:
    """Lets live_plot believe that matplotlib has this backend, without loading it."""
    before = matplotlib.get_backend
    matplotlib.get_backend = lambda *args, **kwargs: name  # type: ignore[assignment]
    try:
        yield
    finally:
        matplotlib.get_backend = before


class TestPictures:
    @pytest.mark.parametrize("style", STYLES)
    @pytest.mark.parametrize("name", DRAWN)
    def test_start_middle_and_end_look_as_approved(self, name: str, style: str) -> None:
        approved = np.asarray(Image.open(IMAGES / f"{name}_{style}.png").convert("RGB"))
        assert worst_block(pictures(name, style), approved) < TOLERANCE

    def test_the_comparison_sees_a_single_step(self) -> None:
        plot = run_2d()
        assert worst_block(shrunk(plot.frame(7)), shrunk(plot.frame(8))) > 1.4 * TOLERANCE

    def test_images_stay_small(self) -> None:
        assert sum(path.stat().st_size for path in IMAGES.iterdir()) < 2_000_000

    @pytest.mark.parametrize("make", [run_2d, lambda: run_3d("canyon"), run_race_2d, run_diverging])
    def test_point_by_point_looks_like_matplotlibs_own_full_draw(self, make: Callable[[], Any]) -> None:
        plot = make()
        picture = plot.new_picture()
        picture.rescale(is_final=True)
        for shown in range(1, plot.num_points + 1):
            picture.compose(shown)
        quick = picture.pixels().copy()
        canvas: Any = picture.figure.canvas
        canvas.draw()
        below_the_words = slice(60, None)
        limit = 40 if len(plot.runs) > 1 else 15  # where runs cross, the later step is on top, or the later run
        assert worst_block(quick[below_the_words], picture.pixels()[below_the_words], size=20) < limit

    def test_a_point_adds_no_artist_and_repaints_rarely(self, monkeypatch: pytest.MonkeyPatch) -> None:
        plot = live_plot.init_3dplot(*SURFACES["canyon"]["grid"], SURFACES["canyon"]["f"])
        picture = plot.new_picture()
        picture.compose(0)
        artists = len(picture.figure.findobj())
        repaints = []
        paint = picture.paint_bare
        monkeypatch.setattr(picture, "paint_bare", lambda renderer: (repaints.append(1), paint(renderer)))
        for step in range(150):
            plot.add_point(6 * np.cos(step / 9), -8 + np.sin(step / 9), 10 * np.cos(step / 7))
            picture.rescale()
            picture.compose(step + 1)
        assert len(picture.figure.findobj()) - artists < 60  # ticks of wider panels, nothing per point
        assert len(repaints) < 12

    def test_the_path_is_coloured_by_step(self) -> None:
        picture = run_2d().new_picture()
        picture.rescale(is_final=True)
        trail = picture.tracks[0].trail
        brightness = trail.colors(np.arange(15), picture.last_step, picture.look)[:, :3] @ (0.299, 0.587, 0.114)
        assert (np.diff(brightness) > 0.01).all()  # told apart without seeing colours, too

    @pytest.mark.parametrize("first", [0, 1, 4])
    def test_a_piece_of_path_leads_to_its_step(self, first: int) -> None:
        plot = run_3d("canyon")
        picture = plot.new_picture()
        picture.rescale(is_final=True)
        picture.compose(0)  # the projection is known from the first draw on
        for track in picture.tracks:
            segments, steps = track.trail.segments(first, 9)
            assert steps.tolist() == list(range(max(first, 1), 9))
            rows = track.trail.rows(0, 9)
            place = track.trail.layer().place
            assert np.allclose(segments, np.stack([place(rows[steps - 1]), place(rows[steps])], axis=1))

    def test_a_surface_carries_the_path_and_its_shadow_on_the_floor(self) -> None:
        plot = run_3d("canyon")
        picture = plot.new_picture()
        picture.compose(0)
        shadow, path = plot.landscape.layers(picture.axes)
        points = np.array([[1.0, -5.0, 40.0], [2.0, -9.0, 80.0]])
        on_floor = points.copy()
        on_floor[:, 2] = plot.landscape.floor
        assert (shadow.is_shadow, path.is_shadow) == (True, False)
        assert np.allclose(shadow.place(points), path.place(on_floor))
        assert not np.allclose(shadow.place(points), path.place(points))
        assert plot.landscape.floor < plot.landscape.low[2]
        assert [track.trail.is_shadow for track in picture.tracks] == [True, False, False]

    def test_zooming_repaints(self) -> None:
        plot = run_2d()
        picture = plot.new_picture()
        picture.rescale(is_final=True)
        picture.compose(15)
        before = picture.pixels().copy()
        picture.axes.set_xlim(-3, 3)
        picture.figure.canvas.draw()  # what a toolbar does
        picture.compose(15)
        assert worst_block(before, picture.pixels()) > 30

    def test_the_given_view_is_kept(self) -> None:
        plot = live_plot.init_3dplot(*SURFACES["canyon"]["grid"], SURFACES["canyon"]["f"], elev=37, azim=120)
        axes: Any = plot.new_picture().axes
        assert (axes.elev, axes.azim) == (37, 120)

    def test_quick_text_looks_like_text(self) -> None:
        plot = run_diverging()
        picture = plot.new_picture()
        picture.rescale(is_final=True)
        picture.compose(40)
        strip = picture.pixels()[:55].copy()
        assert strip.min() < 60  # something is written there
        picture.figure.canvas.draw()
        assert worst_block(strip, picture.pixels()[:55], size=11) < 60  # the same words at the same place, or more

    def test_png_is_what_pillow_reads(self) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (31, 17, 3), dtype=np.uint8)
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(live_plot._png(pixels)))), pixels)


class TestInputs:
    @pytest.mark.parametrize(
        "value",
        [
            2,
            2.0,
            np.float32(2),
            np.array([[2.0]]),
            torch.tensor(2.0),
            torch.tensor([2.0], requires_grad=True),
            torch.full((1, 1, 1), 2.0, dtype=torch.float64),
            torch.tensor(2),
            torch.tensor(2.0, dtype=torch.bfloat16),
            torch.nn.Parameter(torch.tensor([2.0])),
        ],
    )
    def test_one_number_is_taken_in_any_wrapping(self, value: Any) -> None:
        live_plot.init_2dplot(range(-5, 5), torch.square)
        live_plot.add_point_2d(value, value)
        assert live_plot._current["2d"].runs[0].points == [(2.0, 2.0)]

    @pytest.mark.parametrize(
        ("value", "error", "words"),
        [
            (torch.zeros(3), ValueError, r"add_point_2d wants one number for x, but got 3: shape \(3,\)"),
            (torch.zeros(0), ValueError, "got 0"),
            ("abc", TypeError, "add_point_2d wants one number for x .* got str"),
            (None, TypeError, "got NoneType"),
            ([1.0, 2.0], TypeError, "got list"),
            (torch.tensor(1j), TypeError, "got Tensor"),
        ],
    )
    def test_a_wrong_point_says_what_was_wanted(self, value: Any, error: type[Exception], words: str) -> None:
        plot = live_plot.init_2dplot(range(-5, 5), torch.square)
        with pytest.raises(error, match=words):
            live_plot.add_point_2d(value, 0)
        assert plot.num_points == 0

    @pytest.mark.parametrize(
        ("call", "error", "words"),
        [
            (lambda: live_plot.add_point_2d(1, 1), RuntimeError, r"call init_2dplot\(\.\.\.\) first"),
            (lambda: live_plot.add_point_3d(1, 1, 1), RuntimeError, r"call init_3dplot\(\.\.\.\) first"),
            (lambda: live_plot.init_2dplot([1], torch.square), ValueError, "at least two different"),
            (lambda: live_plot.init_2dplot([1, float("nan")], torch.square), ValueError, "all finite"),
            (lambda: live_plot.init_2dplot(3, torch.square), ValueError, "x_range"),
            (lambda: live_plot.init_2dplot("ab", torch.square), TypeError, "numbers for x_range"),
            (lambda: live_plot.init_2dplot([1, 2], 5), TypeError, "wants a function for func, but got int"),
            (lambda: live_plot.init_2dplot([1, 2], torch.square, -1), ValueError, "pause in seconds"),
            (lambda: live_plot.init_2dplot([1, 2], lambda: 0), ValueError, r"could not call func\(x\): TypeError"),
            (lambda: live_plot.init_3dplot([1, 2], [1, 2], torch.square), ValueError, r"could not call func\(x, y\)"),
            (lambda: live_plot.init_3dplot([1, 2], [1, 2], torch.add, "up"), TypeError, "elev"),
            (lambda: live_plot.race(torch.square, (1, 2, 3), RACERS, 5), ValueError, "two for f"),
            (lambda: live_plot.race(torch.square, 1, [torch.optim.Adam], 5), TypeError, "a dict"),
            (lambda: live_plot.race(torch.square, 1, {}, 5), TypeError, "a dict"),
            (lambda: live_plot.race(torch.square, 1, {"a": 3}, 5), TypeError, "for 'a', a function that takes"),
            (lambda: live_plot.race(torch.square, 1, {"a": len}, 5), TypeError, "returns an optimizer"),
            (lambda: live_plot.race(torch.square, 1, RACERS, 0), ValueError, "whole number of passes"),
        ],
    )
    def test_a_wrong_call_says_what_was_wanted(self, call: Any, error: type[Exception], words: str) -> None:
        with pytest.raises(error, match=words):
            call()

    @pytest.mark.parametrize(
        "func",
        [
            lambda x: x**2,
            lambda x: x.item() ** 2,
            lambda x: x**2 if x > 0 else x * x,
            lambda x: (x**2).sum(),
            lambda x: np.square(x.numpy()),
            lambda x: [number**2 for number in x.tolist()] if x.ndim else x.item() ** 2,
        ],
    )
    def test_a_function_of_a_grid_or_of_single_numbers_is_drawn_alike(self, func: Any) -> None:
        plot = live_plot.init_2dplot(range(-3, 4), func)
        assert plot.landscape.values.tolist() == [9, 4, 1, 0, 1, 4, 9]

    def test_a_constant_is_a_flat_line(self) -> None:
        plot = live_plot.init_2dplot(range(-3, 4), lambda x: 1.0)
        assert plot.landscape.values.tolist() == [1.0] * 7
        plot.add_point(0, 1)
        plot.frame(0)

    @pytest.mark.parametrize(
        "func",
        [
            lambda x, y: torch.sqrt(x) + y,
            lambda x, y: x**1.2 + y,
            lambda x, y: 1 / x + y,
            lambda x, y: torch.log(x * 0 - 1) + y,
            lambda x, y: torch.exp(x**4) + y,
        ],
        ids=["root", "power", "pole", "nowhere", "overflow"],
    )
    def test_nan_and_infinity_on_a_surface_are_left_out(self, func: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            plot = live_plot.init_3dplot(torch.arange(-5.0, 6), torch.arange(-5.0, 6), func)
            plot.add_point(1, 1, 2)
            plot.add_point(float("nan"), 1, float("inf"))
            plot.frame(1)
            sketch = live_plot._Sketch(plot.landscape, plot.runs, plot.look)
        assert np.isfinite(plot.landscape.low).all()
        assert np.isfinite(plot.landscape.high).all()
        assert "nan" not in sketch.svg.replace(sketch.words[-1][0], "").replace(sketch.words[-1][1], "")

    def test_a_pole_does_not_flatten_the_rest(self) -> None:
        plot = live_plot.init_2dplot(torch.arange(-5, 5, 0.01), lambda x: 1 / (x - 0.00001))
        assert plot.landscape.height < 200


class TestWords:
    @pytest.mark.parametrize(
        ("points", "words"),
        [
            ([(1, 1), (2, 4)], ""),
            ([(1, 1), (2, float("inf")), (3, 9)], "diverged: f is infinity from step 1 on"),
            ([(1, 1), (2, float("-inf"))], "diverged: f is -infinity from step 1 on"),
            ([(1, 1), (float("inf"), float("nan"))], "diverged: x is infinity from step 1 on"),
            ([(1, 1), (float("nan"), float("nan"))], "x is not a number (NaN) from step 1 on"),
            ([(1, 1), (2, 1e12)], "diverging: f = 1e+12 at step 1"),
            ([(1, 1), (30, 90)], "outside the picture: x = 30"),
        ],
    )
    def test_what_goes_wrong_is_said_on_the_plot(self, points: list[tuple[float, float]], words: str) -> None:
        plot = live_plot.init_2dplot(range(-5, 6), torch.square)
        for point in points:
            plot.add_point(*point)
        picture = plot.new_picture()
        picture.rescale()
        picture.compose(len(points))
        assert picture.warning.get_text() == words
        assert words in live_plot._Sketch(plot.landscape, plot.runs, plot.look).words[-1][1]

    def test_an_earlier_frame_does_not_know_what_comes(self) -> None:
        plot = run_diverging()
        plot.frame(0)
        assert plot._still.warning.get_text() == ""
        plot.frame(79)
        assert "infinity" in plot._still.warning.get_text()

    def test_the_racer_that_diverges_is_named(self) -> None:
        racers = {"calm": RACERS["Adam"], "wild": lambda params: torch.optim.SGD(params, lr=50)}
        plot = live_plot.race(torch.square, 3, racers, 40, delta_=0).plot
        warning = live_plot.warning_line(plot.runs, plot.landscape, 40)
        assert "wild: " in warning
        assert "calm" not in warning
        assert plot.landscape.high[0] < 1e3  # and does not spoil the range for the other

    def test_numbers_of_the_latest_step(self) -> None:
        plot = live_plot.init_3dplot([0, 1], [0, 1], torch.add)
        plot.add_point(1, 2, 3, lr=0.5)
        plot.add_point(0.25, 0, 4)
        told = [live_plot.status_line(plot.runs, shown).split("    ") for shown in (1, 2)]
        assert told[0] == ["step 0", "f = 3", "x = 1   y = 2", "lowest f = 3 at step 0", "lr = 0.5"]
        assert told[1] == ["step 1", "f = 4", "x = 0.25   y = 0", "lowest f = 3 at step 0"]


class TestClipping:
    def test_agrees_with_sampling(self) -> None:
        generator = np.random.default_rng(1)
        starts, ends = generator.normal(0, 2, (2, 400, 3))
        ends[::7, 1] = starts[::7, 1]  # some run along a side
        low, high = np.full(3, -1.0), np.full(3, 1.0)
        cut_starts, cut_ends, touches = live_plot._clip_segments(starts, ends, low, high)
        way = np.linspace(0, 1, 2001)[:, None, None]
        samples = starts + way * (ends - starts)
        inside = ((low <= samples) & (samples <= high)).all(axis=2)
        seen = inside.any(axis=0)
        assert not (seen & ~touches).any()
        assert (touches & ~seen).sum() <= 4  # a corner cut between two samples
        for k in np.flatnonzero(seen):
            first, last = samples[inside[:, k], k][[0, -1]]
            assert np.allclose(cut_starts[k], first, atol=0.01)
            assert np.allclose(cut_ends[k], last, atol=0.01)

    def test_nan_interrupts_and_huge_numbers_do_not_overflow(self) -> None:
        rows = np.array([[0.0, 0], [1, np.nan], [2, 0], [3, 1e300], [4, -1e300]])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            starts, ends, visible = live_plot._visible_segments(rows, np.array([-9.0, -9]), np.array([9.0, 9]))
        assert visible.tolist() == [False, False, True, True]
        assert np.isfinite(starts).all()
        assert np.isfinite(ends).all()


class TestWhereItShows:
    @pytest.mark.parametrize(
        ("name", "grading", "in_ipython", "stage"),
        [
            ("agg", "", True, "_Nowhere"),
            ("Agg", "", False, "_Nowhere"),
            ("svg", "", True, "_Nowhere"),
            ("inline", "", True, "_Inline"),
            ("module://matplotlib_inline.backend_inline", "", True, "_Inline"),
            ("module://ipykernel.pylab.backend_inline", "", True, "_Inline"),
            ("module://matplotlib_inline.backend_inline", "", False, "_Nowhere"),
            ("module://matplotlib_inline.backend_inline", "autograde", True, "_Nowhere"),
            ("module://ipympl.backend_nbagg", "", True, "_Widget"),
            ("widget", "", True, "_Widget"),
            ("ipympl", "validate", True, "_Nowhere"),
            ("TkAgg", "autograde", False, "_Nowhere"),
        ],
    )
    def test_finds_out_by_itself(
        self,
        name: str,
        grading: str,
        in_ipython: bool,
        stage: str,
        shell: InteractiveShell,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("NBGRADER_EXECUTION", grading)
        monkeypatch.setattr(live_plot, "_ipython", lambda: shell if in_ipython else None)
        with backend(name), capture_output():
            plot = live_plot.init_2dplot(range(-5, 6), torch.square)
        assert type(plot.stage).__name__ == stage

    @pytest.mark.parametrize("grading", ["autograde", ""])
    def test_without_watchers_it_never_waits_and_shows_the_end_once(
        self, grading: str, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*args: Any) -> None:
            raise AssertionError("nothing may be drawn or waited for here")

        monkeypatch.setenv("NBGRADER_EXECUTION", grading)
        monkeypatch.setattr(live_plot.time, "sleep", refuse)
        monkeypatch.setattr(live_plot, "_Picture", refuse)
        with capture_output() as captured:
            shell.run_cell("plot = live_plot.init_2dplot(range(-5, 6), torch.square, delta_=100);")
            assert not captured.outputs  # no point, no picture
            cell = shell.run_cell("for k in range(4): live_plot.add_point_2d(k, k * k)")
            shell.run_cell("1 + 1;")
        assert cell.success
        (output,) = captured.outputs
        assert set(output.data) == {"image/svg+xml", "text/plain"}
        assert output.data["text/plain"] == "Live plot: step 3 f = 9 x = 3 lowest f = 0 at step 0"
        assert ElementTree.fromstring(output.data["image/svg+xml"]).tag.endswith("svg")
        with capture_output() as captured:
            shell.run_cell("live_plot.add_point_2d(4, 16)")
        assert [o.data["text/plain"].split(" f ")[0] for o in captured.outputs] == ["Live plot: step 4"]

    def test_an_error_in_the_cell_does_not_lose_the_picture(self, shell: InteractiveShell) -> None:
        with capture_output() as captured:
            shell.run_cell("live_plot.init_2dplot([0, 1], torch.square); live_plot.add_point_2d(1, 1); 1 / 0")
        assert len(captured.outputs) == 1

    def test_two_plots_live_at_once(self, shell: InteractiveShell) -> None:
        with capture_output() as captured:
            shell.run_cell(
                textwrap.dedent("""
                first = live_plot.init_2dplot(range(-5, 6), torch.square)
                second = live_plot.init_2dplot(range(-5, 6), torch.square)
                deep = live_plot.init_3dplot(range(3), range(3), torch.add)
                for k in range(3):
                    first.add_point(k, k * k)
                    live_plot.add_point_2d(-k, k * k)
                    live_plot.add_point_3d(k, 1, k + 1)
                first.add_point(3, 9)
                """)
            )
        plots = [shell.user_ns[name] for name in ("first", "second", "deep")]
        assert [plot.num_points for plot in plots] == [4, 3, 3]
        assert plots[1].runs[0].points == [(0, 0), (-1, 1), (-2, 4)]
        assert [o.data["text/plain"].split(" lowest")[0] for o in captured.outputs] == [
            "Live plot: step 3 f = 9 x = 3",
            "Live plot: step 2 f = 4 x = -2",
            "Live plot: step 2 f = 3 x = 2 y = 1",
        ]
        assert not plt.get_fignums()

    def test_inline_updates_one_output_in_place(self, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
        naps: list[float] = []
        monkeypatch.setattr(live_plot.time, "sleep", naps.append)
        monkeypatch.setattr(live_plot, "MAX_BYTES_PER_SECOND", 10**12)
        sent = published(shell, monkeypatch)
        with backend("inline"):
            shell.run_cell("live_plot.init_2dplot(range(-5, 6), torch.square, delta_=0.25);")
            shell.run_cell("for k in range(4): live_plot.add_point_2d(k, k * k)")
        assert naps == [0.25] * 4
        assert [message["update"] for message in sent] == [False, True, True, True, True, True]
        assert len({message["transient"]["display_id"] for message in sent}) == 1
        frames = [np.asarray(Image.open(io.BytesIO(base64.b64decode(m["data"]["image/png"])))) for m in sent]
        assert {frame.shape for frame in frames} == {(380, 840, 3)}
        assert all((one != other).any() for one, other in pairwise(frames))
        assert sent[-1]["data"]["text/plain"].startswith("Live plot: step 3")

    def test_inline_stays_below_the_servers_data_rate(
        self, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = [100.0]
        monkeypatch.setattr(live_plot.time, "monotonic", lambda: clock[0])
        monkeypatch.setattr(live_plot.time, "sleep", lambda seconds: clock.append(clock.pop() + seconds))
        sent = published(shell, monkeypatch)
        with backend("inline"):
            shell.run_cell("live_plot.init_3dplot(range(-9, 9), range(-9, 9), lambda x, y: x * x - y, delta_=0.01)")
            shell.run_cell("for k in range(300): live_plot.add_point_3d(k / 40, 0, k * k / 1600)")
        seconds = clock[0] - 100
        assert seconds == pytest.approx(3.0)
        size = sum(len(message["data"]["image/png"]) for message in sent[1:-1])
        assert 0.5 * seconds < size / 1e6 < seconds  # the default limit is a million bytes per second
        assert sent[-1]["data"]["text/plain"].startswith("Live plot: step 299")  # the end is never left out

    def test_the_widget_takes_the_pictures_place_when_the_cell_is_over(
        self, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip("ipympl", reason="ipympl is not installed")
        monkeypatch.setattr(live_plot.time, "sleep", lambda seconds: None)
        sent = published(shell, monkeypatch)
        before = matplotlib.get_backend()
        try:
            matplotlib.use("module://ipympl.backend_nbagg")
            shell.run_cell("plot = live_plot.init_2dplot(range(-5, 6), torch.square)")
            first_cell = len(sent)
            shell.run_cell("for k in range(3): live_plot.add_point_2d(k, k * k)")
        finally:
            plt.close("all")
            matplotlib.use(before)
        view = "application/vnd.jupyter.widget-view+json"
        assert [view in message["data"] for message in sent[:first_cell]] == [False, True]
        assert len({message["transient"]["display_id"] for message in sent[:first_cell]}) == 1
        assert len(sent) == first_cell  # the second cell draws on the canvas itself
        assert shell.user_ns["plot"].stage.picture.shown == 3

    def test_a_window_is_blitted_and_survives_its_closing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        done: list[str] = []
        window = window_backend(done)
        monkeypatch.setitem(sys.modules, "pretended_window", window)
        before = matplotlib.get_backend()
        try:
            matplotlib.use("module://pretended_window")
            plot = live_plot.init_2dplot(range(-5, 6), torch.square, delta_=0.5)
            assert done == ["show", "draw", "flush"]
            done.clear()
            live_plot.add_point_2d(1, 1)
            live_plot.add_point_2d(2, 4)
            assert done == ["blit", "flush", "wait 0.5"] * 2
            assert plot.figure.number in plt.get_fignums()
            plt.close(plot.figure)
            done.clear()
            live_plot.add_point_2d(3, 9)
            assert done == []
            assert plot.num_points == 3
            assert plot.frame(2).shape == (380, 840, 3)
        finally:
            plt.close("all")
            matplotlib.use(before)

    def test_a_window_backend_without_a_screen_is_no_screen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*args: Any, **kwargs: Any) -> None:
            raise ImportError("Cannot load backend 'TkAgg' which requires the 'tk' interactive framework")

        monkeypatch.setattr(plt, "figure", refuse)
        with backend("tkagg"):
            plot = live_plot.init_2dplot(range(-5, 6), torch.square)
        assert type(plot.stage).__name__ == "_Nowhere"


def published(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What cells send to the front end, as a kernel would send it."""
    sent: list[dict[str, Any]] = []

    def publish(data: dict[str, Any], metadata: Any = None, **more: Any) -> None:
        sent.append({"data": data, "transient": more.get("transient"), "update": bool(more.get("update"))})

    monkeypatch.setattr(shell.display_pub, "publish", publish)
    monkeypatch.setattr(sys, "stdout", io.StringIO())  # the value of a cell's last line
    return sent


def window_backend(done: list[str]) -> types.ModuleType:
    """A backend with windows that only notes what happens to them."""
    from matplotlib.backend_bases import FigureManagerBase
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    class Manager(FigureManagerBase):
        def show(self) -> None:
            done.append("show")

        def destroy(self) -> None:
            from matplotlib.backend_bases import CloseEvent

            CloseEvent("close_event", self.canvas)._process()

    class Canvas(FigureCanvasAgg):
        manager_class = Manager  # type: ignore[assignment]
        supports_blit = True

        def draw(self) -> None:
            done.append("draw")
            super().draw()

        def blit(self, bbox: Any = None) -> None:
            done.append("blit")

        def flush_events(self) -> None:
            done.append("flush")

        def start_event_loop(self, timeout: float = 0) -> None:
            done.append(f"wait {timeout}")

    module = types.ModuleType("pretended_window")
    module.FigureCanvas, module.FigureManager = Canvas, Manager  # type: ignore[attr-defined]
    return module


class TestRace:
    @pytest.mark.parametrize("name", RACERS)
    def test_runs_as_torch_does(self, name: str) -> None:
        paths = live_plot.race(lambda x, y: x**2 / 20 + y**2, torch.tensor([-9.0, 3.0]), RACERS, 12, delta_=0)
        place = torch.tensor([-9.0, 3.0], requires_grad=True)
        optimizer = RACERS[name]([place])
        expected = []
        for _ in range(12):
            value = place[0] ** 2 / 20 + place[1] ** 2
            expected.append([*place.tolist(), value.item()])
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        assert np.allclose(paths[name], expected, rtol=1e-4, atol=1e-5)

    def test_takes_optimizers_that_want_a_closure(self) -> None:
        paths = live_plot.race(torch.square, 3, {"LBFGS": torch.optim.LBFGS}, 6, delta_=0)
        assert paths["LBFGS"].shape == (6, 2)
        assert paths["LBFGS"][0].tolist() == [3, 9]
        assert paths["LBFGS"][-1, 1] < 1e-6

    def test_shows_all_runs_step_by_step(self) -> None:
        plot = run_race_2d()
        assert [run.name for run in plot.runs] == list(RACERS)
        assert len({run.color for run in plot.runs}) == len({run.marker for run in plot.runs}) == 4
        assert [len(run.points) for run in plot.runs] == [30] * 4

    def test_a_given_range_is_used(self) -> None:
        plot = live_plot.race(torch.square, 3, RACERS, 3, x_range=range(-50, 51), delta_=0).plot
        assert (plot.landscape.low[0], plot.landscape.high[0]) == (-50, 50)

    def test_a_run_into_nan_ends_in_nan(self) -> None:
        racers = {"SGD": lambda params: torch.optim.SGD(params, lr=0.5)}
        paths = live_plot.race(torch.sqrt, 0.01, racers, 5, delta_=0)
        assert np.isnan(paths["SGD"][-1]).all()
        paths.plot.frame(4)


class TestSketch:
    """The SVG, with matplotlib as the oracle for where things lie."""

    @pytest.mark.parametrize("make", [run_2d, run_race_1d, run_race_2d, run_diverging])
    def test_path_lies_where_matplotlib_puts_it(self, make: Callable[[], Any]) -> None:
        plot = make()
        plot.frame(plot.num_points)
        picture = plot._still
        sketch = live_plot._Sketch(plot.landscape, plot.runs, plot.look)
        tracks = picture.tracks
        assert len(tracks) == len(sketch.trails)
        for track, trail in zip(tracks, sketch.trails, strict=True):
            theirs, steps = track.trail.points(0, plot.num_points)
            ours, our_steps = trail.points(0, plot.num_points)
            pixels = track.axes.transData.transform(theirs)
            pixels[:, 1] = live_plot.HEIGHT - pixels[:, 1]
            assert steps.tolist() == our_steps.tolist()
            assert np.abs(pixels - ours)[:, 0].max() < 1
            is_log = track.axes.get_yscale() == "symlog"  # another formula below the threshold: only roughly alike
            assert np.abs(pixels - ours)[:, 1].max() < (12 if is_log else 1)

    @pytest.mark.parametrize("name", SURFACES)
    def test_the_view_of_a_surface_is_matplotlibs(self, name: str) -> None:
        from mpl_toolkits.mplot3d import proj3d

        plot = run_3d(name)
        axes: Any = plot.new_picture().axes
        axes.set_proj_type("ortho")
        places = np.random.default_rng(2).uniform(plot.landscape.low, plot.landscape.high, (50, 3))
        theirs = np.column_stack(proj3d.proj_transform(*places.T, axes.get_proj())[:2])
        ours = live_plot._View(plot.landscape).place(places) * (1, -1)
        scale = np.ptp(ours, axis=0) / np.ptp(theirs, axis=0)
        assert np.allclose(scale, scale[0], rtol=1e-3)  # the same picture up to size and place
        assert np.allclose(ours - ours.mean(axis=0), (theirs - theirs.mean(axis=0)) * scale, atol=0.1)

    def test_the_nearest_face_is_painted_last(self) -> None:
        plot = live_plot.init_3dplot([0, 1, 2], [0, 1], lambda x, y: x, elev=20, azim=0)  # seen from large x
        (sketch,) = [live_plot._View(plot.landscape).sketch(plot.look)]
        surface = sketch[sketch.index("</g>") + 1 :]
        colors = [match for shape in surface for match in re.findall(r'fill="(#\w{6})"/>', shape)]
        expected = live_plot._hex(plot.look.surface_map(np.array([0.25, 0.75])))
        assert colors == expected

    def test_every_step_is_there_once(self) -> None:
        plot = run_3d("canyon")
        svg = live_plot._Sketch(plot.landscape, plot.runs, plot.look).svg
        steps = [int(step) for step in re.findall(r'<circle [^>]*data-step="(\d+)"', svg)]
        assert sorted(set(steps)) == list(range(20))
        assert all(steps.count(k) == 2 for k in range(20))  # on the surface and in the panel

    def test_names_are_escaped(self) -> None:
        racers = {"<script>alert(1)</script>": RACERS["Adam"]}
        player = live_plot.race(torch.square, 3, racers, 3, delta_=0).plot.player()
        assert "<script>alert" not in player
        assert player.count("</script>") == 1


class TestSaving:
    def test_gif_has_a_frame_per_step(self, tmp_path: Path) -> None:
        path = run_2d().save(tmp_path / "run.gif", seconds_per_step=0.1)
        with Image.open(path) as film:
            assert getattr(film, "n_frames", 1) == 15
            assert film.info["duration"] == 100
            assert film.size == (840, 380)

    def test_long_gif_is_thinned_out(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(live_plot, "MAX_SAVED_FRAMES", 5)
        with Image.open(run_2d().save(tmp_path / "run.gif")) as film:
            assert getattr(film, "n_frames", 1) == 5

    @pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
    def test_mp4(self, tmp_path: Path) -> None:
        path = run_2d().save(tmp_path / "run.mp4")
        assert path.read_bytes()[4:8] == b"ftyp"

    def test_mp4_without_ffmpeg_says_so(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(live_plot.shutil, "which", lambda program: None)
        with pytest.raises(RuntimeError, match="ffmpeg"):
            run_2d().save(tmp_path / "run.mp4")

    @pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
    def test_finished_picture(self, kind: str, tmp_path: Path) -> None:
        assert run_2d().save(str(tmp_path / f"run.{kind}")).stat().st_size > 5000

    def test_player_needs_nothing_else(self, tmp_path: Path) -> None:
        page = run_3d("canyon").save(tmp_path / "run.html").read_text(encoding="utf-8")
        links = set(re.findall(r"https?://[^\s\"'<]+", page))
        assert links == {"http://www.w3.org/2000/svg"}
        run = json.loads(re.search(r"run = (\{.*\});", page).group(1))  # type: ignore[union-attr]
        assert run["last"] == 19
        assert len(run["words"]) == 20
        assert all(len(journey) == 20 for journey in run["journeys"])
        assert page.count("data-mark") - page.count("[data-mark]") == len(run["journeys"])
        assert len(page) < 400_000

    def test_wrong_paths_and_empty_runs_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"ends in one of \.gif"):
            run_2d().save(tmp_path / "run.avi")
        with pytest.raises(ValueError, match="no point"):
            live_plot.init_2dplot([0, 1], torch.square).save(tmp_path / "run.gif")


class TestSlider:
    def test_turns_to_any_step(self, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
        ipywidgets = pytest.importorskip("ipywidgets", reason="ipywidgets is not installed")
        monkeypatch.setattr(live_plot.time, "sleep", lambda seconds: None)
        shown: list[Any] = []
        with backend("inline"), capture_output():
            plot = run_2d()
        monkeypatch.setattr("IPython.display.display", lambda *things, **more: shown.extend(things))
        plot.slider()
        (box,) = shown
        image, controls = box.children
        slider = next(child for child in controls.children if isinstance(child, ipywidgets.IntSlider))
        assert (slider.min, slider.max, slider.value) == (0, 14, 14)
        slider.value = 4
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(image.value))), plot.frame(4))

    def test_is_the_player_without_ipywidgets(self, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(live_plot.time, "sleep", lambda seconds: None)
        monkeypatch.setitem(sys.modules, "ipywidgets", None)
        with backend("inline"), capture_output() as captured:
            run_2d().slider()
        assert "<script>" in captured.outputs[-1].data["text/html"]

    def test_is_nothing_when_grading(self, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
        with capture_output() as captured:
            run_2d().slider()
        assert not captured.outputs


class TestAlone:
    def test_imports_torch_numpy_and_matplotlib_alone(self) -> None:
        tree = ast.parse((ROOT / "live_plot.py").read_text(encoding="utf-8"))
        names: set[str] = set()
        for node in tree.body:
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module or "")
        foreign = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names)
        assert foreign == {"torch", "numpy", "matplotlib"}

    def test_grading_process_without_home_kernel_or_sockets(self, tmp_path: Path) -> None:
        """A bare IPython shell, a read-only home, sockets forbidden: one picture, nothing on stderr by us."""
        program = f"""
            import os, socket, sys
            sys.path.insert(0, {str(ROOT)!r})
            import torch
            from IPython.core.interactiveshell import InteractiveShell
            from IPython.utils.capture import capture_output
            def refuse(*args, **kwargs):
                raise OSError("no sockets here")
            socket.socket = refuse
            shell = InteractiveShell.instance()
            with capture_output() as captured:
                shell.run_cell('''
            import torch
            from live_plot import init_2dplot, add_point_2d
            init_2dplot(torch.arange(-10, 10, 0.1), lambda x: x**2, delta_=100)
            for x in range(5): add_point_2d(x, x**2)
            ''')
            print(len(captured.outputs), sorted(captured.outputs[0].data), "ipykernel" in sys.modules)
            print(captured.stderr, file=sys.stderr)
        """
        environment = {
            **os.environ,
            "NBGRADER_EXECUTION": "autograde",
            "HOME": "/nonexistent",
            "MPLCONFIGDIR": str(tmp_path),
            "IPYTHONDIR": str(tmp_path),
        }
        environment.pop("MPLBACKEND", None)
        command = [sys.executable, "-c", textwrap.dedent(program)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout.split("\n")[0] == "1 ['image/svg+xml', 'text/plain'] False", done.stderr
        assert "live_plot" not in done.stderr


def write_images() -> None:
    """Makes today's pictures the approved ones."""
    IMAGES.mkdir(exist_ok=True)
    for style in STYLES:
        for name in DRAWN:
            Image.fromarray(pictures(name, style)).save(IMAGES / f"{name}_{style}.png", optimize=True)


if __name__ == "__main__":
    write_images()
