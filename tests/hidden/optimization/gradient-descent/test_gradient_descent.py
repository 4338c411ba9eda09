"""Gradient descent by hand: hidden checks against torch's own SGD."""

import pytest
import torch

from stepgrade.exercise import Exercise, Objective, assert_does_not_reach


def reference(f, x0, lr, iterations):
    """Plain SGD, as torch walks it (torch.optim.SGD without momentum): x_{t+1} = x_t − lr ∇f(x_t)."""
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        optimizer.step()
    return trajectory


LESSON = {"f": Objective("x ** 2"), "x0": 8, "lr": 0.1, "iterations": 20}
HIDDEN = (
    # overshoots uphill, starts at a number that is not whole, and left of zero
    {"f": Objective("0.5 * (x - 3) ** 2 + torch.sin(x)"), "x0": -2.5, "lr": 1.3, "iterations": 9},
    # f below zero, a start given as an int, large gradients first and small ones later
    {"f": Objective("x ** 4 / 40 - x ** 2 + 0.3 * x"), "x0": -7, "lr": 0.04, "iterations": 13},
    # unsymmetric, small gradients
    {"f": Objective("torch.exp(0.3 * x) - 0.7 * x"), "x0": 4.75, "lr": 0.37, "iterations": 7},
)
BASKETS = (
    # x stays where it is; the cell's text tells why
    frozenset(
        [
            "grad-zeroed-before-use",
            "left-blank",
            "no-update",
            "update-in-new-name",
            "update-outside-loop",
            "x-reset-in-loop",
        ]
    ),
    # every step is twice as long
    frozenset(
        [
            "backward-twice",
            "lr-doubled",
            "update-twice",
        ]
    ),
    # None times a number; the cell's text tells where the None comes from
    frozenset(
        [
            "backward-missing",
            "backward-result-used",
            "grad-of-y",
            "update-before-first-backward",
        ]
    ),
    # f is not watched: torch raises the same, on the same line
    frozenset(
        [
            "forward-detached",
            "forward-under-no-grad",
            "no-requires-grad",
        ]
    ),
    # no gradient is recorded from the second pass on
    frozenset(
        [
            "grad-mode-left-off",
            "x-rebound-without-requires-grad",
        ]
    ),
)
EXERCISE = Exercise(
    name="gradient-descent",
    function="gradient_descent",
    columns=("f(x_t)",),
    reference=reference,
    lesson=LESSON,
    hidden=HIDDEN,
    objective="f",
    passes="iterations",
    baskets=BASKETS,
)


@pytest.mark.points(2)
@pytest.mark.parametrize("inputs", EXERCISE.inputs)
def test_follows_torch(student, inputs):
    """Does x walk torch's own path, step by step?"""
    EXERCISE.assert_follows(student.gradient_descent(**inputs), inputs)


@pytest.mark.points(1)
@pytest.mark.parametrize("inputs", EXERCISE.inputs)
def test_records_before_the_update(student, inputs):
    """Is f(x_t) recorded once per pass, before the update?"""
    run = student.gradient_descent(**inputs)
    EXERCISE.follows_or_skip(run, inputs)
    EXERCISE.assert_records(run, inputs)


@pytest.mark.points(1)
@pytest.mark.parametrize("inputs", EXERCISE.inputs)
def test_by_hand(student, inputs):
    """Is the update written by hand, without torch.optim?"""
    EXERCISE.follows_or_skip(student.gradient_descent(**inputs), inputs)
    assert_does_not_reach(student, "torch.optim")
