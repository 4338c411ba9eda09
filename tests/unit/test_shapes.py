"""Exercises of every shape, told and drawn: a vector, two arguments, no objective, lists of data, a text."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from shapes import BY_NAME, PROGRAMS

from stepgrade import picture
from stepgrade.exercise import Exercise, Inputs, Objective, load_program, run_program
from stepgrade.feedback.blocks import TEXT_WIDTH, Feedback
from stepgrade.feedback.explain import explain
from stepgrade.feedback.heights import Heights
from stepgrade.feedback.teller import describe_step, trait_of
from stepgrade.feedback.words import input_words, point_words
from stepgrade.records import Check, Diagnosis, ExerciseResult, Run

GOLDEN = Path(__file__).parent / "golden_shapes"


def told(
    name: str, old: str = "", new: str = "", diagnosis: Diagnosis | None = None, show_hidden_numbers: bool = True
) -> Feedback:
    """What is said of the right program with one text in it replaced."""
    assert old in PROGRAMS[name]
    exercise, source = BY_NAME[name], PROGRAMS[name].replace(old, new)
    runs = [(inputs, run_program(load_program(source), exercise.call(inputs))) for inputs in exercise.inputs]
    return told_of(exercise, runs, diagnosis, show_hidden_numbers)


def told_of(
    exercise: Exercise,
    runs: list[tuple[Inputs, Run]],
    diagnosis: Diagnosis | None = None,
    show_hidden_numbers: bool = True,
) -> Feedback:
    is_right = all(exercise.is_right(run, inputs) for inputs, run in runs)
    check = Check("test_it", 3.0, "passed" if is_right else "failed", "Does it do what torch does?")
    outcome = "passed" if is_right else "failed"
    if any(run.status == "timed_out" for _, run in runs):
        outcome = "timed_out"
    result = ExerciseResult(
        exercise.grade_id,
        3.0,
        3.0 * is_right,
        outcome,
        (check,),
        diagnosis or Diagnosis(),  # type: ignore[arg-type]
    )
    return explain(exercise, result, runs, show_hidden_numbers=show_hidden_numbers)


TURNED = ("velocity = momentum * velocity + x.grad", "velocity = momentum * velocity + x.grad.flip(0)")
OUTCOMES: dict[str, Callable[[], Feedback]] = {
    "vector_right": lambda: told("vector"),
    "vector_other_direction": lambda: told("vector", *TURNED),
    "vector_longer": lambda: told("vector", "x -= lr *", "x -= 2 * lr *"),
    "vector_one_coordinate": lambda: told("vector", "x -= lr * velocity", "x[0] -= lr * velocity[0]"),
    "vector_wrong_record": lambda: told("vector", "trajectory.append(x.tolist())", "trajectory.append([0.0, 1.0])"),
    "vector_kept_back": lambda: told(
        "vector", "f(x).backward()", "(f(x) if momentum < 0.6 else 2 * f(x)).backward()", show_hidden_numbers=False
    ),
    "two_arguments_right": lambda: told("two_arguments"),
    "two_arguments_downhill": lambda: told("two_arguments", "v += rate", "v -= rate"),
    "two_arguments_raised": lambda: told("two_arguments", "record.append(loss.item())", "record.push(loss)"),
    "no_objective_right": lambda: told("no_objective"),
    "no_objective_first_entry": lambda: told("no_objective", "lr * gamma ** (t // ", "lr * gamma ** (1 + t // "),
    "no_objective_later": lambda: told("no_objective", "(t // step_size)", "(t / step_size)"),
    "no_objective_too_short": lambda: told("no_objective", "range(passes)", "range(passes - 1)"),
    "no_objective_raised": lambda: told("no_objective", "lr * gamma", "lr * gama"),
    "no_objective_nothing": lambda: told("no_objective", "return", "passes ="),
    "no_objective_kept_back": lambda: told("no_objective", "(t // step_size)", "(t // 4)", show_hidden_numbers=False),
    "no_objective_endless": lambda: told_of(
        BY_NAME["no_objective"],
        [(inputs, Run("timed_out", message="Stopped after 30 s.")) for inputs in BY_NAME["no_objective"].inputs],
    ),
    "data_right": lambda: told("data"),
    "data_one_column": lambda: told("data", "slope.sum()", "slope.mean()"),
    "data_kept_back": lambda: told("data", 'kind == "absolute"', 'kind == "manhattan"', show_hidden_numbers=False),
}


@functools.cache
def outcome(name: str) -> Feedback:
    return OUTCOMES[name]()


@pytest.mark.parametrize("name", OUTCOMES)
def test_text_is_pinned(name: str) -> None:
    """Set STEPGRADE_PIN=1 to write the files anew, and read the difference."""
    pinned = GOLDEN / f"{name}.txt"
    if os.environ.get("STEPGRADE_PIN"):
        pinned.parent.mkdir(exist_ok=True)
        pinned.write_text(outcome(name).text, encoding="utf-8")
    assert outcome(name).text == pinned.read_text(encoding="utf-8")
    assert max(map(len, outcome(name).text.splitlines())) <= TEXT_WIDTH
    assert len(outcome(name).html) < 90_000


def test_no_pinned_text_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(OUTCOMES)


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OUTCOMES)
def test_words_speak_of_what_the_exercise_has(name: str) -> None:
    exercise = next(BY_NAME[shape] for shape in BY_NAME if name.startswith(shape))
    said = f" {' '.join(outcome(name).text.split())} "
    if exercise.objective is None:
        assert not re.search(r"\b(walk|path|objective|f\(x\)|called|x)\b", said)
    elif exercise.objective == "g":
        assert not re.search(r"\b(f|x)\b", said)


def test_labels_of_columns_and_inputs_are_shown_as_declared() -> None:
    assert outcome("data_one_column").html.count("<img ") == 1
    assert "w[1]" in outcome("data_one_column").text and "Left out: b." in outcome("data_one_column").text
    assert outcome("vector_right").html.count("<img ") == 2


@pytest.mark.parametrize(
    ("old", "right", "yours", "words", "secret_words"),
    [
        ((8, 0), (6, 0), (8, 0), "you stay where you are", ""),
        ((8, 0), (6, 0), (6, 0.001), "your step is as long as torch's", ""),
        ((8, 0), (6, 0), (10, 0), "your step is as long as torch's and goes the other way", ""),
        ((8, 0), (6, 0), (2, 0), "your step is 3 times as long as torch's", "your step is longer than torch's"),
        ((8, 0), (6, 0), (8, 2), "your step is as long as torch's and has another direction", ""),
        (
            (8, 0),
            (6, 0),
            (8, 1),
            "your step is 0.5 times as long as torch's and has another direction",
            "your step has another direction",
        ),
        ((8, 0), (8, 0), (6, 0), "", ""),
        ((8, 0), (6, 0), (1.5e308, -1.5e308), "", ""),
        ((8, 0), (6, 0), (float("nan"), 0), "", ""),
        ((8, 0), (6, 0), (6,), "", ""),
    ],
)
def test_steps_of_vectors_are_compared_by_length_and_direction(
    old: tuple[float, ...], right: tuple[float, ...], yours: tuple[float, ...], words: str, secret_words: str
) -> None:
    assert describe_step(old, right, yours) == words
    assert describe_step(old, right, yours, with_numbers=False) == (secret_words or words)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1, 2, 3], "name = [1, 2, 3]"),
        ([], "name = []"),
        ([[1, 2], [3, 4]], "name = [[1, 2], [3, 4]]"),
        (list(range(1, 41)), "name (a list of 40 numbers, beginning 1, 2, 3, …)"),
        ([[n, -n] for n in range(1, 41)], "name (a list of 40 lists of 2 numbers, beginning [1, -1], [2, -2], …)"),
        ([[1] * 90] * 3, "name (a list of 3 lists of 90 numbers, beginning [1, 1, 1, …], [1, 1, 1, …], …)"),
        ([[1] * n for n in range(9)], "name (a list of 9 lists, beginning [], [1], …)"),
        ("mean", "name = 'mean'"),
        (True, "name = True"),
        (None, "name = None"),
        (0.5, "name = 0.5"),
        (Objective("x ** 2"), "name(x) = x ** 2"),
        (Objective("x - y", "x y"), "name(x, y) = x - y"),
    ],
)
def test_an_input_is_put_into_a_sentence(value: object, words: str) -> None:
    assert input_words("name", value).replace("\N{NO-BREAK SPACE}", " ") == words


@pytest.mark.parametrize(
    ("value", "lesson", "words"),
    [
        (-3, 8, "a negative `a`"),
        (-2.5, 8, "a negative value of `a` that is not whole"),
        (2.5, 8, "a value of `a` that is not whole"),
        (2.5, 0.1, "another `a`"),
        (0, 8, "zero for `a`"),
        (-3, -8, "another `a`"),
        ([1, 2], [1], "a longer list for `a`"),
        ([], [1], "a shorter list for `a`"),
        ([2], [1], "another `a`"),
        ("sum", "mean", "another `a`"),
        (True, False, "another `a`"),
        (None, 3, "another `a`"),
        (float("inf"), 3, "another `a`"),
        (Objective("x"), Objective("y", "y"), "another objective"),
    ],
)
def test_hidden_inputs_are_told_without_a_number(value: object, lesson: object, words: str) -> None:
    assert trait_of("a", value, lesson) == words


@pytest.mark.parametrize(
    ("objective", "point", "words"),
    [
        (Objective("x ** 2"), (3.0,), "x = 3"),
        (Objective("x[0] ** 2"), (3.0, -2.5), "x = (3, -2.5)"),
        (Objective("u * v", "u v"), (3.0, -2.5), "(u, v) = (3, -2.5)"),
        (Objective("w.sum()", "w"), tuple(range(9)), "w = (0, 1, 2, …)"),
    ],
)
def test_a_point_is_named_by_its_variables(objective: Objective, point: tuple[float, ...], words: str) -> None:
    assert point_words(objective, point).replace("\N{NO-BREAK SPACE}", " ") == words


# -- heights -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "variables", "points", "heights"),
    [
        ("x ** 2", "x", ((2.0,), (-3.0,)), (4, 9)),
        ("x[0] ** 2", "x", ((2.0,), (-3.0,)), (4, 9)),
        ("x @ x", "x", ((2.0,), (-3.0,)), (4, 9)),
        ("x[0] ** 2 - x[1]", "x", ((2.0, 1.0), (0.0, 5.0)), (3, -5)),
        ("(x ** 2).sum()", "x", ((2.0, 1.0), (0.0, 5.0)), (5, 25)),
        ("x @ torch.tensor([[1.0, 0], [0, 2]], dtype=x.dtype) @ x", "x", ((2.0, 1.0),), (6,)),
        ("u ** 2 - v", "u v", ((2.0, 1.0), (0.0, 5.0)), (3, -5)),
        ("u[0] - v", "u v", ((2.0, 1.0),), (1,)),
        ("abs(x) if x > 0 else x * 0", "x", ((2.0,), (-3.0,)), (2, 0)),
        ("torch.log(x)", "x", ((1.0,), (-3.0,)), (0, None)),
        ("3.0", "x", ((1.0,), (-3.0,)), (3, 3)),
        ("torch.median(x) if x[0] > 0 else 1 / 0", "x", ((1.0, 1.0), (-3.0, 0.0)), (1, None)),
        ("no_such_name * x", "x", ((1.0,),), (None,)),
        ("u + v", "u v", ((1.0, 2.0, 3.0),), (None,)),
    ],
)
def test_an_objective_is_asked_at_many_points_at_once(
    text: str, variables: str, points: tuple[tuple[float, ...], ...], heights: tuple[float | None, ...]
) -> None:
    found = Heights(Objective(text, variables))(points)
    assert [h if h == h else None for h in found] == [h if h is None else pytest.approx(h) for h in heights]


# -- anything may come back --------------------------------------------------------------------------------------------

STRANGE: list[object] = [
    None, True, 3.0, [], [[]], [None] * 12, [float("nan")] * 12, [[1.0, float("inf")]] * 12, {"str": "x"}, {"cut": 9},
    {"array": [[1.0, 2.0]] * 12, "shape": [12, 2]}, [[1.0] * 4] * 12, [10**400] * 15, [[{"str": "x"}, 1.0]] * 3, {},
]  # fmt: skip
WALKS: list[tuple[tuple[float, ...], ...]] = [
    (), ((),), ((1.0,),), ((-9.0, 3.0),), ((-9.0, 3.0), (float("nan"), 1.0)), ((1e308, -1e308),) * 12,
    ((-9.0, 3.0, 1.0),) * 12, ((-9.0, 3.0), (1.0,)) * 6,
]  # fmt: skip


@pytest.mark.parametrize("shape", BY_NAME)
def test_strange_answers_are_explained(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "draw", functools.cache(lambda scene: picture.Picture(b"", b"")))
    exercise = BY_NAME[shape]
    for returned, visited in [(value, WALKS[2]) for value in STRANGE] + [([[1.0]] * 12, walk) for walk in WALKS]:
        for status in ("returned", "raised", "died"):
            run = Run(status, returned=returned, visited=visited)  # type: ignore[arg-type]
            runs = [(inputs, run) for inputs in exercise.inputs]
            result = ExerciseResult(exercise.grade_id, 3.0, 0.0, "failed")
            for show_hidden_numbers in (True, False):
                assert explain(exercise, result, runs, show_hidden_numbers=show_hidden_numbers).text
