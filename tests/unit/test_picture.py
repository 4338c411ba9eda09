"""Pictures: what is in view, what is marked, and that no number breaks the drawing."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Callable, Sequence

import pytest
from PIL import Image

from stepgrade import picture, scene
from stepgrade.picture import _draw, draw
from stepgrade.scene import (
    Landscape,
    Point,
    Scene,
    Series,
    choose_columns,
    contour_lines,
    make_ground,
    make_scene,
    make_surface,
)

PATH = tuple((8 * 0.8**t,) for t in range(20))
NAMES = ("x", "f(x)")
AROUND = tuple((-9 * 0.8**t, 3 * (-0.6) ** t) for t in range(15))  # of two numbers


def points(xs: Sequence[float]) -> tuple[Point, ...]:
    return tuple((float(x),) for x in xs)


def square(at: tuple[Point, ...]) -> tuple[float, ...]:
    return tuple(x * x if abs(x) < 1e150 else math.inf for (x,) in at)


def bowl(at: tuple[Point, ...]) -> tuple[float, ...]:
    return tuple(x * x / 20 + y * y for x, y in at)


def column(name: str, reference: Sequence[float], yours: Sequence[float], is_parted: bool = False) -> Series:
    return Series(name, tuple(reference), tuple(yours), is_parted)


def scene_of(walk: Sequence[float], values: Sequence[float] | None = None, step: int | None = None) -> Scene:
    yours = square(points(walk)) if values is None else tuple(values)
    ground, _ = make_ground(square, PATH, points(walk), NAMES, step)
    return make_scene(ground, [column("f(x_t)", square(PATH), yours, step is not None)], step)


def scene_around(walk: Sequence[Point], parted: int | None = None, landscape: Landscape = bowl) -> Scene:
    ground, _ = make_ground(landscape, AROUND, walk, ("x[0]", "x[1]"), parted)
    both = zip(*AROUND, strict=True), zip(*walk, strict=True) if walk else ((), ())
    series = [column(f"x[{n}]", *columns, n == 0) for n, columns in enumerate(zip(*both, strict=True))]
    return make_scene(ground, series, parted)


def test_equal_scenes_are_drawn_once() -> None:
    assert draw(scene_of([x for (x,) in PATH])) is draw(scene_of([x * (1 + 1e-9) for (x,) in PATH]))
    nearly = [(x * (1 + 1e-9), y) for x, y in AROUND]
    assert draw(scene_around(AROUND)) is draw(scene_around(nearly))


@pytest.mark.parametrize("make", [lambda: scene_of(range(8, 3, -1), step=5), lambda: scene_around(AROUND[::-1], 0)])
def test_same_scene_gives_the_same_bytes(make: Callable[[], Scene]) -> None:
    first = draw(make())
    _draw.cache_clear()
    scene.make_surface.cache_clear()
    assert draw(make()) == first


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 7])
def test_both_panels_are_small_png_files(columns: int) -> None:
    zigzag = points([8 * (-1) ** t for t in range(20)])
    series = [column(str(c), square(PATH), square(zigzag), c == 0) for c in range(columns)]
    ground, _ = make_ground(square, PATH, zigzag, NAMES, 1)
    drawn = draw(make_scene(ground, series, 1))
    assert drawn.objective is not None
    for data in (drawn.objective, drawn.values):
        image = Image.open(io.BytesIO(data))
        assert image.width == picture.WIDTH * picture.DOTS
        assert image.info == {k: v for k, v in image.info.items() if k in ("dpi", "transparency")}
    assert len(drawn.objective) + len(drawn.values) < 44_000  # base64 adds a third: under 60 kB


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 7])
def test_without_an_objective_the_columns_take_the_full_width(columns: int) -> None:
    series = [column(str(c), range(1, 400), range(2, 401), c == columns - 1) for c in range(columns)]
    drawn = draw(make_scene(None, series, 0))
    assert drawn.objective is None
    assert Image.open(io.BytesIO(drawn.values)).width == 2 * picture.WIDTH * picture.DOTS
    assert len(drawn.values) < 44_000


@pytest.mark.parametrize(
    ("num", "differing", "shown"),
    [(1, 0, [0]), (4, 3, [0, 1, 2, 3]), (5, 1, [0, 1, 2, 3]), (9, 7, [0, 1, 2, 7]), (9, 4, [0, 1, 2, 4])],
)
def test_of_many_columns_the_first_are_shown_and_the_one_that_differs(
    num: int, differing: int, shown: list[int]
) -> None:
    assert choose_columns(num, differing, 4) == shown


@pytest.mark.parametrize("is_on_contours", [False, True])
def test_both_walks_are_told_apart_without_colour(is_on_contours: bool) -> None:
    """In grey, a walk of yours beside torch's still adds ink: markers and dashes of its own."""
    if is_on_contours:
        drawn = [draw(scene_around(walk)) for walk in ([(-9 + t, 3 - t / 2) for t in range(9)], ())]
    else:
        drawn = [draw(scene_of(walk)) for walk in ([8, 9, 10, 9, 8, 7, 6], [])]
    grey = [Image.open(io.BytesIO(picture.objective or b"")).convert("L") for picture in drawn]
    dark = [sum(image.histogram()[:160]) for image in grey]
    assert dark[0] > 1.1 * dark[1]


def test_walk_is_cut_where_it_leaves_the_view() -> None:
    for landscape, path, walk in (
        (square, PATH, points((8.0, 6.4, 1e30, 3.0))),
        (bowl, AROUND, (*AROUND[:2], (1.0, -1e30), (0.0, 0.0))),
    ):
        ground, left_at = make_ground(landscape, path, walk, NAMES)
        assert ground is not None and left_at == 2
        assert len(ground.walk) == 3
        assert all(abs(v) < 1e4 for point in ground.walk for v in point)


def test_first_step_off_the_path_stays_in_view_though_far() -> None:
    ground = scene_of((8.0, -22.0, 70.0), step=1).ground
    assert ground is not None
    assert ground.x_view[0] < -22
    assert ground.y_view[1] > 484
    assert ground.parted == 1
    ground = scene_around(((-9.0, 3.0), (-30.0, 20.0), (90.0, 0.0)), 1).ground
    assert ground is not None
    assert ground.x_view[0] < -30 and ground.y_view[1] > 20
    assert ground.parted == 1


def test_view_is_torchs_where_yours_is_out_of_sight() -> None:
    for made in (scene_of((8.0, 1e9), step=1), scene_around(((-9.0, 3.0), (0.0, 1e9)), 1)):
        assert made.ground is not None
        assert made.ground.x_view[1] < 20
        assert made.ground.parted is None


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
    ground, _ = make_ground(square, points(path), points((1.0, 2.0)), NAMES, 0)
    draw(make_scene(ground, [column("f", square(points(path)), (1.0, 4.0), True)], 0))
    both = tuple((x, -x / 3) for x in path)
    ground, _ = make_ground(bowl, both, ((1.0, 2.0), (math.nan, 1.0)), NAMES, 0)
    draw(make_scene(ground, [column("$a$ and $b", bowl(both), (1.0, 4.0), True)], 0))


@pytest.mark.parametrize("walk", [(), ((),), ((1.0,),), ((1.0, 2.0, 3.0),), ((math.inf, 0.0),), ((1e308, -1e308),) * 2])
def test_points_of_another_length_and_no_numbers_are_not_drawn(walk: tuple[Point, ...]) -> None:
    ground, left_at = make_ground(bowl, AROUND, walk, NAMES, 0)
    assert ground is not None and len(ground.walk) == 0
    assert left_at == (0 if walk else None)
    draw(make_scene(ground, [column("f", (1.0, 2.0), (1.0,))], 1))


@pytest.mark.parametrize("path", [(), ((),), ((1.0, 2.0, 3.0),) * 4])
def test_there_is_no_ground_for_points_of_other_lengths(path: tuple[Point, ...]) -> None:
    assert make_ground(bowl, path, path, NAMES) == (None, None)


# -- contours ----------------------------------------------------------------------------------------------------------

VIEW = (-2.0, 2.0)


def rosenbrock(at: tuple[Point, ...]) -> tuple[float, ...]:
    return tuple((1 - x) ** 2 + 100 * (y - x * x) ** 2 for x, y in at)


def test_levels_are_log_spaced_where_the_range_is_large() -> None:
    lowest = min(rosenbrock(tuple((x, y) for x in scene._grid(VIEW, 61) for y in scene._grid(VIEW, 49))))
    above = [level - lowest for level in make_surface(rosenbrock, VIEW, VIEW).levels]
    ratios = [b / a for a, b in itertools.pairwise(above)]
    assert ratios == pytest.approx([ratios[0]] * len(ratios))
    steps = [math.sqrt(level) for level in make_surface(bowl, VIEW, VIEW).levels]
    assert [b - a for a, b in itertools.pairwise(steps)] == pytest.approx([steps[0]] * (len(steps) - 1), abs=0.03)


@pytest.mark.parametrize(
    "landscape",
    [
        lambda at: (3.0,) * len(at),
        lambda at: (math.nan,) * len(at),
        lambda at: (math.inf,) * len(at),
        lambda at: tuple(math.log(x) if x > 0 else math.nan for x, _ in at),
        lambda at: tuple(-1e300 * x * x for x, _ in at),
        lambda at: tuple(float(x > 0) for x, _ in at),
    ],
)
def test_no_landscape_breaks_the_drawing(landscape: Landscape) -> None:
    draw(scene_around(AROUND[:3], 1, landscape))
    contour_lines(make_surface(landscape, VIEW, VIEW))


def test_a_grid_is_asked_for_once() -> None:
    asked = []

    def landscape(at: tuple[Point, ...]) -> tuple[float, ...]:
        asked.append(len(at))
        return bowl(at)

    for walk in (AROUND, AROUND[:4], [(x, y * 0.999) for x, y in AROUND]):
        make_ground(landscape, AROUND, walk, NAMES)
    assert asked == [scene.GRID[0] * scene.GRID[1]]


def test_units_are_equal_unless_a_walk_is_far_longer_than_wide() -> None:
    def shape(width: float) -> float:
        path = ((-9.0, width), (0.0, 0.0))
        ground, _ = make_ground(bowl, path, path, NAMES)
        assert ground is not None
        (left, right), (low, high) = ground.x_view, ground.y_view
        return (right - left) / (high - low)

    assert shape(9.0) == pytest.approx(scene.ASPECT, rel=0.03)
    assert shape(3.0) == pytest.approx(scene.ASPECT, rel=0.03)
    assert 10 < shape(0.1) <= 5 * scene.MOST_WIDENED * scene.ASPECT * 1.03
    assert shape(0.0) == pytest.approx(shape(1.0), rel=3), "a walk along one axis"


def test_contour_lines_lie_at_their_height() -> None:
    surface = make_surface(bowl, VIEW, VIEW)
    for line in contour_lines(surface):
        heights = bowl(line)
        assert max(heights) - min(heights) < 0.02
        assert min(abs(level - heights[0]) for level in surface.levels) < 0.02


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 6, [0, 1, 2, 3, 4, 5, 6]), (-2.4, 9.6, [-2, 0, 2, 4, 6, 8]), (0.01, 0.02, [0.01, 0.012, 0.014, 0.016, 0.018])],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert picture._ticks(low, high)[: len(ticks)] == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("value", "label"), [(1000.0, "1000"), (1e4, "1e4"), (-2.5, "−2.5"), (1e-5, "1e−5"), (-5e-4, "−5e−4"), (0, "0")]
)
def test_labels_are_short(value: float, label: str) -> None:
    assert picture._label(value) == label
