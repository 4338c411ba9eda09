"""One wrong constant: where it can stand, which number it is, and which are not believed."""

from __future__ import annotations

import pytest
import torch

from stepgrade.diagnosis.catalogue import ask_all
from stepgrade.diagnosis.fit import Constant, find_constant, sites
from stepgrade.exercise import Exercise, Objective
from stepgrade.records import Run

SOLUTION = """def walk(f, start, rate, keep, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=rate, momentum=keep)
    path = []
    for _ in range(passes):
        y = f(x)
        path.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return path
"""


def reference(f, start, rate, keep, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=rate, momentum=keep)
    path = []
    for _ in range(passes):
        y = f(x)
        path.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return path


EXERCISE = Exercise(
    name="walk",
    function="walk",
    columns=("f(x_t)",),
    reference=reference,
    lesson={"f": Objective("x ** 2"), "start": 4, "rate": 0.1, "keep": 0.5, "passes": 12},
    hidden=(
        {"f": Objective("0.5 * (x - 3) ** 2 + torch.sin(x)"), "start": -2.5, "rate": 0.3, "keep": 0.8, "passes": 9},
        {"f": Objective("torch.exp(0.3 * x) - 0.7 * x"), "start": 4.75, "rate": 0.2, "keep": 0.9, "passes": 7},
    ),
    objective="f",
    passes="passes",
)
SITES = sites(EXERCISE, SOLUTION)


def answered(old: str, new: str) -> tuple[Run, ...]:
    assert old in SOLUTION
    return ask_all(SOLUTION.replace(old, new), EXERCISE, EXERCISE.inputs)


def found(old: str, new: str) -> Constant | None:
    return find_constant(EXERCISE, answered(old, new), SITES)


def test_every_number_of_the_arguments_and_every_keyword_left_out_is_a_site() -> None:
    roles = [site.role for site in SITES]
    assert {"argument:start", "argument:rate", "argument:keep", "keyword:dampening", "keyword:weight_decay"} <= {*roles}
    assert not {"argument:f", "argument:passes", "keyword:lr", "keyword:momentum"} & {*roles}


@pytest.mark.parametrize(
    ("old", "new", "constant"),
    [
        ("lr=rate", "lr=0.07", Constant("argument:rate", "rate", 0.07)),
        ("lr=rate", "lr=0.1", Constant("argument:rate", "rate", 0.1)),
        ("momentum=keep", "momentum=0.65", Constant("argument:keep", "keep", 0.65)),
        ("float(start)", "2.5", Constant("argument:start", "start", 2.5)),
        ("momentum=keep", "momentum=keep, dampening=0.25", Constant("keyword:dampening", "dampening", 0.25)),
        ("momentum=keep", "momentum=keep, weight_decay=0.01", Constant("keyword:weight_decay", "weight_decay", 0.01)),
    ],
)
def test_a_constant_is_found_with_its_place(old: str, new: str, constant: Constant) -> None:
    assert found(old, new) == constant


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lr=rate", "lr=0.1234"),  # nobody types four digits by mistake
        ("momentum=keep", "momentum=0"),  # an operand that is lost
        ("momentum=keep", "momentum=1"),
        ("lr=rate", "lr=rate + 0.01"),  # not the same number in every run
        ("lr=rate", "lr=0.07 if start == 4 else rate"),  # explains the lesson's inputs alone
        ("y.backward()", "(y ** 2).backward()"),
        ("path.append(y.item())", "path.append(y.item() + 1)"),
        ("return path", "return 1 / 0"),
        ("return path", "return None"),
    ],
)
def test_what_one_constant_does_not_explain_is_not_told(old: str, new: str) -> None:
    assert found(old, new) is None


def test_what_differs_after_the_first_passes_is_not_told() -> None:
    assert found("for _ in range(passes):", "for t in range(passes):\n        keep = keep if t < 8 else 0.3") is None


def test_a_loop_that_another_number_may_keep_from_ending_has_no_sites() -> None:
    endless = SOLUTION.replace("for _ in range(passes)", "while len(path) < passes")
    assert ask_all(endless, EXERCISE, EXERCISE.inputs) == ask_all(SOLUTION, EXERCISE, EXERCISE.inputs)
    assert sites(EXERCISE, endless) == ()


def test_what_is_no_program_or_another_function_has_no_sites() -> None:
    assert sites(EXERCISE, "def walk(") == ()
    assert sites(EXERCISE, SOLUTION.replace("def walk", "def other")) == ()
