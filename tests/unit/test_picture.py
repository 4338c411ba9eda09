"""Pictures: what is in view, what is marked, and that no number breaks the drawing."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import pytest
from PIL import Image

from stepgrade import picture
from stepgrade.picture import Scene, Series, _draw, draw, make_scene

PATH = tuple(8 * 0.8**t for t in range(20))


def square(xs: Sequence[float]) -> tuple[float, ...]:
    return tuple(x * x if abs(x) < 1e150 else math.inf for x in xs)


def scene_of(walk: Sequence[float], values: Sequence[float] | None = None, step: int | None = None) -> Scene:
    yours = square(walk) if values is None else tuple(values)
    return make_scene(square, PATH, walk, [Series("f(x_t)", square(PATH), yours, step is not None)], step, step)[0]


def test_equal_scenes_are_drawn_once() -> None:
    assert draw(scene_of(PATH)) is draw(scene_of([x * (1 + 1e-9) for x in PATH]))


def test_same_scene_gives_the_same_bytes() -> None:
    first = draw(scene_of(PATH[:5], step=5))
    _draw.cache_clear()
    assert draw(scene_of(PATH[:5], step=5)) == first


@pytest.mark.parametrize("columns", [1, 2])
def test_both_panels_are_small_png_files(columns: int) -> None:
    zigzag = [8 * (-1) ** t for t in range(20)]
    series = [Series(str(c), square(PATH), square(zigzag), c == 0) for c in range(columns)]
    drawn = draw(make_scene(square, PATH, zigzag, series, 1, 1)[0])
    for data in (drawn.objective, drawn.values):
        image = Image.open(io.BytesIO(data))
        assert image.width == picture.WIDTH * picture.DOTS
        assert image.info == {k: v for k, v in image.info.items() if k in ("dpi", "transparency")}
    assert len(drawn.objective) + len(drawn.values) < 44_000  # base64 adds a third: under 60 kB


def test_both_walks_are_told_apart_without_colour() -> None:
    """In grey, a walk of yours beside torch's still adds ink: markers and dashes of its own."""
    away = draw(scene_of([8, 9, 10, 9, 8, 7, 6], step=1)).objective
    alone = draw(make_scene(square, PATH, (), [Series("f(x_t)", square(PATH), ())])[0]).objective
    grey = [Image.open(io.BytesIO(data)).convert("L") for data in (away, alone)]
    dark = [sum(image.histogram()[:160]) for image in grey]
    assert dark[0] > 1.1 * dark[1]


def test_walk_is_cut_where_it_leaves_the_view() -> None:
    scene, left_at = make_scene(square, PATH, (8.0, 6.4, 1e30, 3.0), [Series("f", square(PATH), ())])
    assert left_at == 2
    assert len(scene.walk) == 3
    assert all(abs(v) < 1e4 for point in scene.walk for v in point)


def test_first_step_off_the_path_stays_in_view_though_far() -> None:
    scene = scene_of((8.0, -22.0, 70.0), step=1)
    assert scene.x_view[0] < -22
    assert scene.y_view[1] > 484
    assert scene.parted == 1


def test_view_is_torchs_where_yours_is_out_of_sight() -> None:
    scene = scene_of((8.0, 1e9), step=1)
    assert scene.x_view[1] < 20
    assert scene.parted is None


@pytest.mark.parametrize(
    "values",
    [
        (math.nan,) * 20,
        (math.inf, -math.inf) * 10,
        (1e308, -1e308) * 10,
        (1e-320,) * 20,
        (0.0,) * 20,
        (),
        (64.0,),
        tuple(1e30**t for t in range(11)),
        (5.0,) * 20_000,
    ],
    ids=lambda values: repr(values[:2]),
)
def test_no_value_breaks_the_drawing(values: tuple[float, ...]) -> None:
    for step in (None, 0, 1, 19, 20):
        draw(scene_of(values, values, step))


@pytest.mark.parametrize("path", [(3.0,), (3.0, 3.0), (0.0, 0.0), (1e-12, -1e-12), (1e12, -1e12)])
def test_no_path_breaks_the_drawing(path: tuple[float, ...]) -> None:
    draw(make_scene(square, path, (1.0, 2.0), [Series("f", square(path), (1.0, 4.0), True)], 0, 0)[0])


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 6, [0, 1, 2, 3, 4, 5, 6]), (-2.4, 9.6, [-2, 0, 2, 4, 6, 8]), (0.01, 0.02, [0.01, 0.012, 0.014, 0.016, 0.018])],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert picture._ticks(low, high)[: len(ticks)] == pytest.approx(ticks)


@pytest.mark.parametrize(("value", "label"), [(1000.0, "1000"), (1e4, "1e4"), (-2.5, "−2.5"), (1e-5, "1e−5"), (0, "0")])
def test_labels_are_short(value: float, label: str) -> None:
    assert picture._label(value) == label
