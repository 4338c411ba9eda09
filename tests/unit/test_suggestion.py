"""Inputs that an author may choose: drawn by the kinds of values that an exercise has, never by names."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from shapes import BY_NAME

from stepgrade.exercise import Exercise, Objective
from stepgrade.proofs.inputs import draw, draw_list, draw_number, draw_value, draw_whole, vary_objective
from stepgrade.proofs.suggestion import _as_code, _is_measure, suggest_for


def many(value: Any, known: Sequence[Any]) -> list[Any]:
    return [draw_value(value, known, Random(seed)) for seed in range(200)]


@pytest.mark.parametrize("shape", BY_NAME)
def test_inputs_of_every_shape_can_be_measured(shape: str) -> None:
    exercise = BY_NAME[shape]
    drawn = list(itertools.islice(draw(exercise, Random(1)), 20))
    assert all(inputs.keys() == exercise.lesson.keys() for inputs in drawn)
    assert sum(_is_measure(exercise, inputs) for inputs in drawn) >= 5  # the others blow up
    assert len({str(inputs) for inputs in drawn}) == 20


def test_the_same_seed_draws_the_same() -> None:
    one, other = (list(itertools.islice(draw(BY_NAME["data"], Random(3)), 5)) for _ in range(2))
    assert one == other


def test_whole_numbers_stay_whole_and_near() -> None:
    drawn = many(20, [20, 9, 12])
    assert all(isinstance(v, int) and 1 <= v <= 23 for v in drawn) and len(set(drawn)) > 4
    assert min(many(1, [1, 2])) >= 1
    assert min(many(0, [0, 5])) == 0
    assert min(many(-2, [8, -2])) < -2 and all(v >= -5 for v in many(-2, [8, -2]))
    assert draw_whole(1, [1], Random(0)) >= 1


def test_numbers_are_scaled_and_keep_their_range() -> None:
    assert all(0.05 <= v <= 2.6 for v in many(0.1, [0.1, 1.3]))
    assert all(0 < v < 1 for v in many(0.9, [0.9, 0.5, 0.999]))
    assert all(0 < v < 1 for v in many(0.999, [0.999]))
    assert any(v > 0.999 for v in many(0.999, [0.999]))
    assert {v > 0 for v in many(8, [8, -2.5])} == {True, False}
    assert {v > 0 for v in many(8, [8, 2.5])} == {True}
    assert many(0.0, [0.0]) == [0.0] * 200
    assert draw_number(1e-8, [1e-8], Random(0)) < 1e-7


def test_texts_booleans_and_nothing_are_those_that_are_there() -> None:
    assert set(many("sum", ["sum", "mean"])) == {"sum", "mean"}
    assert set(many(True, [True, False])) == {True, False}
    assert set(many(None, [None, 3])) == {None, 3}


@pytest.mark.parametrize(
    ("objective", "point"),
    [
        (Objective("x ** 2 + torch.exp(0.1 * x)"), (2.0,)),
        (Objective("x[0] ** 2 / 20 + x[1]"), ([2.0, 1.0],)),
        (Objective("u ** 2 - torch.sin(v)", "u v"), (2.0, 1.0)),
    ],
)
def test_objectives_are_varied_in_their_own_variables(objective: Objective, point: tuple[Any, ...]) -> None:
    import torch

    drawn = {vary_objective(objective, Random(seed)) for seed in range(60)}
    assert len(drawn) == 8 and objective in drawn
    assert {d.variables for d in drawn} == {objective.variables}
    values = {round(float(d(*(torch.tensor(p) for p in point))), 5) for d in drawn}
    assert len(values) == 8


def test_lists_that_belong_together_lose_and_gain_the_same_entries() -> None:
    exercise = BY_NAME["data"]
    lengths = set()
    for inputs in itertools.islice(draw(exercise, Random(0)), 40):
        assert len(inputs["features"]) == len(inputs["labels"])
        assert all(len(row) == 2 for row in inputs["features"])
        lengths.add(len(inputs["labels"]))
    assert len(lengths) > 5


def test_a_list_that_is_equally_long_everywhere_keeps_its_length_and_moves() -> None:
    drawn = list(itertools.islice(draw(BY_NAME["vector"], Random(0)), 40))
    assert {len(inputs["start"]) for inputs in drawn} == {2}
    assert len({tuple(inputs["start"]) for inputs in drawn}) > 30


@pytest.mark.parametrize("num", range(1, 7))
def test_what_ascends_goes_on_ascending(num: int) -> None:
    for seed in range(30):
        drawn = draw_list([2, 5, 9], range(num), Random(seed))
        assert all(isinstance(v, int) for v in drawn)
        assert drawn == sorted(set(drawn)) and len(drawn) == num


def test_labels_stay_labels() -> None:
    assert set(draw_list([0, 1, 1, 0, 1], range(7), Random(0))) <= {0, 1}
    assert draw_list([], range(0), Random(0)) == []


def test_what_torch_cannot_take_is_refused() -> None:
    exercise = BY_NAME["no_objective"]
    assert not _is_measure(exercise, {**exercise.lesson, "step_size": 0})
    assert not _is_measure(exercise, {**exercise.lesson, "lr": float("inf")})
    assert not _is_measure(exercise, {**exercise.lesson, "passes": 0})
    assert _is_measure(exercise, exercise.lesson)


def test_inputs_are_said_as_python() -> None:
    inputs = {"f": Objective("x ** 2"), "g": Objective("u - v", "u v"), "a": [1, 2], "b": "mean", "c": 0.5}
    text = _as_code(inputs)
    assert text == '{"f": Objective("x ** 2"), "g": Objective("u - v", "u v"), "a": [1, 2], "b": "mean", "c": 0.5}'
    assert eval(text, {"Objective": Objective}) == inputs


def test_inputs_are_suggested_for_an_exercise_without_an_objective(tmp_path: Path) -> None:
    (tmp_path / "mistakes").mkdir(parents=True)
    for name, text in (("too-early", "(t + 1) // step_size"), ("never", "0"), ("smooth", "t / step_size")):
        line = f"return [lr * gamma ** ({text}) for t in range(passes)]"
        source = f"def step_decay(lr, step_size, gamma, passes):\n    {line}\n"
        (tmp_path / "mistakes" / f"{name}.py").write_text(f'"""When does it change?"""\n\n\n{source}')
    exercise: Exercise = BY_NAME["no_objective"]
    found = suggest_for(exercise, tmp_path)
    assert found.found >= found.present > 0
    assert len(found.hidden) == len(exercise.hidden)
