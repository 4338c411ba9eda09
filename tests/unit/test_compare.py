"""The first gap, beside numpy's own comparison as a slow oracle."""

import math
import random

import numpy as np
import pytest
from walks import points

from stepgrade.compare import Differs, assert_follows, assert_records, first_gap, first_missed_point, is_close, to_rows
from stepgrade.errors import ChecksError
from stepgrade.exercise import Exercise, Objective
from stepgrade.records import Gap, Run, StudentError


def test_is_close_agrees_with_numpy_on_random_numbers() -> None:
    rng = random.Random(1)
    for _ in range(5000):
        reference = rng.choice([0.0, rng.uniform(-1e3, 1e3), rng.uniform(-1e-5, 1e-5)])
        yours = reference * (1 + rng.choice([0, 5e-5, 1.5e-4, -1.5e-4])) + rng.choice([0, 9e-7, -3e-6])
        assert is_close(yours, reference) == bool(np.isclose(yours, reference, rtol=1e-4, atol=1e-6))


@pytest.mark.parametrize("yours", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_never_close_to_a_number(yours: float) -> None:
    assert not is_close(yours, 1.0)


def test_infinity_is_close_to_its_like_alone_and_nan_to_nothing() -> None:
    assert is_close(math.inf, math.inf)
    assert not is_close(-math.inf, math.inf)
    assert not is_close(math.nan, math.nan)
    assert first_gap([(math.nan,)], [(math.nan,)]) is not None
    assert first_missed_point(points(math.nan, math.nan), points(math.nan, math.nan)) == 0


def test_first_gap_names_the_first_step_that_differs_not_the_largest() -> None:
    assert first_gap([(1.0,), (2.1,), (900.0,)], [(1.0,), (2.0,), (3.0,)]) == Gap(1, 2.1, 2.0)


def test_first_gap_looks_at_every_column() -> None:
    assert first_gap([(1.0, 0.4)], [(1.0, 0.5)]) == Gap(0, 0.4, 0.5)


@pytest.mark.parametrize(
    ("yours", "reference", "gap"),
    [([(1.0,)], [(1.0,), (2.0,)], Gap(1, None, 2.0)), ([(1.0,), (2.0,)], [(1.0,)], Gap(1, 2.0, None))],
)
def test_a_list_of_another_length_differs_where_the_shorter_one_ends(yours, reference, gap) -> None:
    assert first_gap(yours, reference) == gap


@pytest.mark.parametrize(
    "returned",
    [
        [1.0, 2.0],
        {"array": [1.0, 2.0], "shape": [2]},
        {"array": [[1.0], [2.0]], "shape": [2, 1]},
        [{"array": [1.0], "shape": [1]}, {"array": 2.0, "shape": []}],
        [[1.0], [[2.0]]],
    ],
)
def test_numbers_in_every_wrapping_are_the_same_rows(returned) -> None:
    assert to_rows(returned, 1) == [(1.0,), (2.0,)]


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "does the function return"),
        (3.5, "one number came back"),
        ([{"str": "64.0"}], "the text '64.0'"),
        ([True], "which is no number"),
        ([1.0, None], "entry 1"),
        ([[1.0, 2.0]], "2 numbers"),
        ({"object": "generator"}, "a generator"),
        ({"dict": 3}, "a dict"),
        ({"cut": 1_000_000}, "1000000 values"),
        ([{"object": "builtin_function_or_method"}], "builtin_function_or_method"),
    ],
)
def test_what_is_no_trajectory_is_named(returned, said: str) -> None:
    complaint = to_rows(returned, 1)
    assert isinstance(complaint, str) and said in complaint


def test_an_integer_beyond_every_float_is_infinite_and_differs() -> None:
    assert to_rows([10**400, -(10**400)], 1) == [(math.inf,), (-math.inf,)]
    assert Run.from_json({"status": "returned", "visited": [10**400]}).visited


def test_the_path_may_be_visited_with_extra_looks_between() -> None:
    assert first_missed_point(points(8, 8, 6.4, 99, 5.12), points(8, 6.4, 5.12)) is None
    assert first_missed_point(points(8, 5.12, 6.4), points(8, 6.4, 5.12)) == 2
    assert first_missed_point([], points(8)) == 0
    assert first_missed_point([(8.0, 1.0), (6.4, 2.0)], [(8.0, 1.0), (6.4, 1.0)]) == 1
    assert first_missed_point([(8.0, 1.0)], points(8)) == 0, "points of another length are others"


EXPECTED = Run("returned", [64.0, 40.96], visited=points(8.0, 6.4))


def test_right_dynamics_recorded_wrongly_follow_but_do_not_record() -> None:
    run = Run("returned", [40.96, 26.2], visited=points(8.0, 6.4, 5.12))
    assert_follows(run, EXPECTED)
    with pytest.raises(Differs, match=r"At step 0 your value is 40\.96, the reference is 64"):
        assert_records(run, EXPECTED)


def test_numbers_alone_prove_a_walk_that_could_not_be_spied_upon() -> None:
    assert_follows(Run("returned", [64.0, 40.96], visited=points(math.nan, math.nan)), EXPECTED)


def test_wrong_dynamics_do_not_follow() -> None:
    with pytest.raises(Differs) as problem:
        assert_follows(Run("returned", [64.0, 16.0], visited=points(8.0, 4.0)), EXPECTED)
    assert problem.value.gap == Gap(1, 16.0, 40.96)


@pytest.mark.parametrize("status", ["missing", "timed_out", "died"])
def test_a_function_that_gave_nothing_follows_nothing(status) -> None:
    with pytest.raises(Differs):
        assert_follows(Run(status), EXPECTED)


NAN = math.nan
UNFIT = [
    (Run("raised", error=StudentError("AttributeError", "no attribute 'SGD'")), "stops with AttributeError"),
    (Run("returned", None, visited=points(8.0, 6.4)), "nothing came back"),
    (Run("returned", [[64.0, 0.1], [40.96, 0.1]], visited=points(8.0, 6.4)), "holds 2 numbers"),
    (Run("returned", [], visited=()), "records nothing"),
    (Run("returned", [64.0, NAN], visited=points(8.0, 6.4)), "no finite number at step 1"),
    (Run("returned", [64.0, math.inf], visited=points(8.0, 6.4)), "no finite number at step 1"),
    (Run("returned", [64.0, 40.96], visited=()), "does not call the objective in every pass"),
    (Run("returned", [64.0, 40.96, 26.2144], visited=points(8.0)), "not call the objective in every pass"),
    (Run("returned", [64.0, 40.96], visited=points(8.0, NAN)), r"no finite numbers \(call 1\)"),
]


@pytest.mark.parametrize(("expected", "said"), UNFIT)
@pytest.mark.parametrize("assert_it", [assert_follows, assert_records])
@pytest.mark.parametrize("run", [Run("returned", [64.0, 50.0], visited=points(NAN, NAN)), Run("missing"), EXPECTED])
def test_a_reference_that_is_no_measure_is_our_fault_whatever_the_student_gave(expected, said, assert_it, run) -> None:
    with pytest.raises(ChecksError, match=said):
        assert_it(run, expected)


def walk(f, x0, lr, iterations=2):
    return [f(x0 - lr * t) for t in range(iterations)]


F = Objective("x ** 2")
LESSON = {"iterations": 3, "lr": 0.5, "x0": 8, "f": F}
HIDDEN = {"f": F, "x0": -2, "lr": 0.25}


def declared(reference=walk, lesson=LESSON, hidden=(HIDDEN,), columns=("f(x_t)",)) -> Exercise:
    return Exercise("bowl", "walk", columns, reference, lesson, hidden, objective="f", passes="iterations")


def test_inputs_go_by_the_order_of_the_references_signature() -> None:
    exercise = declared()
    exercise.insist()
    assert [name for name, _ in exercise.call(LESSON).inputs] == ["f", "x0", "lr", "iterations"]
    assert exercise.call(HIDDEN).arguments == {"f": F.to_json(), "x0": -2, "lr": 0.25, "iterations": 2}
    assert exercise.expected(LESSON).visited == points(8.0, 7.5, 7.0)
    assert exercise.call(dict(reversed(LESSON.items()))).key == exercise.call(LESSON).key


@pytest.mark.parametrize(
    ("exercise", "said"),
    [
        (declared(lesson={**LESSON, "rate": 1}), r"bowl: `lesson` gives `rate`.*f, x0, lr, iterations. Rename"),
        (declared(hidden=(HIDDEN, {"f": F, "x0": 1})), r"bowl: `hidden\[1\]` lacks `lr`.*Give it there"),
        (declared(lambda *args: list(args)), "bowl: the reference takes any arguments. Name those"),
        (declared(lambda f, x0, lr, iterations=2: 1 / 0), "bowl: on `lesson` the reference stops with ZeroDivision"),
        (
            declared(hidden=(HIDDEN, {**HIDDEN, "f": Objective("abs(x) ** 400 * 1e999 * 0")})),
            r"on `hidden\[1\]`.*finite",
        ),
        (
            declared(lambda f, x0, lr, iterations=2: [x0] * iterations),
            "does not call the obj.*declare `objective=None`",
        ),
        (declared(columns=("f(x_t)", "lr")), "holds 1 number.*Mend what it returns, or `columns`"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_place_and_remedy(exercise: Exercise, said: str) -> None:
    with pytest.raises(ChecksError, match=said):
        exercise.insist()


def rates(rate, passes):
    return [rate / (t + 1) for t in range(passes)]


def schedule(reference=rates, hidden=({"rate": 0.5, "passes": 3},), **declared) -> Exercise:
    lesson = {"rate": 1.0, "passes": 4}
    return Exercise("rates", "rates", ("rate",), reference, lesson, hidden, **{"passes": "passes", **declared})


def test_without_an_objective_the_record_alone_is_judged() -> None:
    exercise = schedule()
    exercise.insist()
    exercise.assert_follows(Run("returned", [1.0, 0.5, 1 / 3, 0.25]), exercise.lesson)
    with pytest.raises(Differs, match="At step 1 your value is 1"):
        exercise.assert_follows(Run("returned", [1.0, 1.0, 1.0, 1.0]), exercise.lesson)


NUMBERS = iter(range(1000))


@pytest.mark.parametrize(
    ("exercise", "said"),
    [
        (schedule(hidden=()), "rates: there are no `hidden` inputs"),
        (schedule(objective="rate"), "has no `Objective` for `rate`.*declare `objective=None`"),
        (schedule(passes="rate"), "gives no whole number for `rate`.*declare `passes=None`"),
        (schedule(lambda rate, passes: [rate] * 3), "records 3 entries where `passes` asks for 4"),
        (schedule(lambda rate, passes: [next(NUMBERS)] * passes), "other numbers when the reference is run twice"),
        (schedule(hidden=({"rate": {1.0}, "passes": 3},)), "gives `rate` a set.*write it as one of them"),
        (schedule(hidden=({"rate": F, "passes": 3},)), 'has the objective `rate`.*Declare `objective="rate"`'),
    ],
)
def test_what_the_declaration_leaves_open_is_refused(exercise: Exercise, said: str) -> None:
    with pytest.raises(ChecksError, match=said):
        exercise.insist()


NO_RECORD = [
    ("once in a pass", (8.0, 9.6, 11.5), None, Gap(1, 9.6, 6.4)),
    ("twice in a pass", (8.0, 8.0, 9.6, 9.6, 11.5, 11.5), {"dict": 3}, Gap(1, None, 6.4)),
    ("twice, as often as strings came back", (8.0, 8.0, 9.6, 9.6, 11.5, 11.5), [{"str": "64"}] * 3, Gap(1, 9.6, 6.4)),
    ("at x and beside it", (8.0, 8.01, 6.4, 6.41, 9.0, 9.01), None, Gap(2, 9.0, 5.12)),
    ("beside x, then at it", (8.01, 8.0, 6.41, 6.4, 9.01, 9.0), None, Gap(2, 9.0, 5.12)),
    ("once more before the loop, or idle", (8.0, 8.0, 9.6, 11.5), [{"str": "64"}] * 3, Gap(1, None, 6.4)),
    ("once more before the loop", (8.0, 8.0, 6.4, 9.0), [{"str": "64"}] * 3, Gap(2, 9.0, 5.12)),
    ("once more after the loop", (8.0, 9.6, 11.5, 13.0), [{"str": "64"}] * 3, Gap(1, 9.6, 6.4)),
    ("never at x", (7.9, 8.1, 6.3, 6.5, 5.0, 5.2), None, Gap(0, None, 8.0)),
    ("two passes of two calls", (8.0, 8.0, 9.6, 9.6), [{"str": "64"}] * 2, Gap(1, 9.6, 6.4)),
    ("now and then", (8.0, 9.6, 9.6, 11.5, 11.5), None, Gap(1, None, 6.4)),
    ("too few", (8.0,), None, Gap(1, None, 6.4)),
]


@pytest.mark.parametrize(
    ("visited", "returned", "gap"), [case[1:] for case in NO_RECORD], ids=[c[0] for c in NO_RECORD]
)
def test_the_x_that_is_reported_is_of_the_same_pass(visited, returned, gap: Gap) -> None:
    expected = Run("returned", [64.0, 40.96, 26.2144], visited=points(8.0, 6.4, 5.12))
    with pytest.raises(Differs, match=f"The walk left the path at step {gap.step}") as problem:
        assert_follows(Run("returned", returned, visited=points(*visited)), expected)
    assert problem.value.gap == gap
