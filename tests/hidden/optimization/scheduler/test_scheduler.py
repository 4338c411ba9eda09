"""Using a scheduler: hidden checks against torch's own SGD and ExponentialLR."""

import pytest
import torch

from stepgrade.exercise import Exercise, Objective


def reference(f, x0, lr, gamma, iterations):
    """SGD whose rate torch.optim.lr_scheduler.ExponentialLR multiplies by gamma after every pass."""
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory


LESSON = {"f": Objective("5 * abs(x)"), "x0": 8, "lr": 0.5, "gamma": 0.8, "iterations": 15}
HIDDEN = (
    {"f": Objective("0.5 * (x - 3) ** 2 + torch.sin(x)"), "x0": -2.5, "lr": 1.3, "gamma": 0.9, "iterations": 9},
    {"f": Objective("x ** 4 / 40 - x ** 2 + 0.3 * x"), "x0": -7, "lr": 0.04, "gamma": 0.85, "iterations": 13},
    {"f": Objective("torch.exp(0.3 * x) - 0.7 * x"), "x0": 4.75, "lr": 0.37, "gamma": 0.7, "iterations": 7},
)
BASKETS = (
    # x stays where it is; the cell's text tells why
    frozenset(
        [
            "backward-missing",
            "grad-zeroed-before-use",
            "optimizer-not-stepped",
            "optimizer-on-other-tensor",
            "step-before-backward",
            "update-outside-loop",
        ]
    ),
    # every step is twice as long
    frozenset(
        [
            "backward-twice",
            "lr-doubled",
            "optimizer-stepped-twice",
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
)
EXERCISE = Exercise(
    name="scheduler",
    function="use_scheduler",
    columns=("f(x_t)", "lr"),
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
    """Does x walk torch's own path, with a learning rate that shrinks after every pass?"""
    EXERCISE.assert_follows(student.use_scheduler(**inputs), inputs)


@pytest.mark.points(1)
@pytest.mark.parametrize("inputs", EXERCISE.inputs)
def test_records_value_and_rate(student, inputs):
    """Is the pair (f(x_t) before the update, rate after scheduler.step()) recorded once per pass?"""
    run = student.use_scheduler(**inputs)
    EXERCISE.follows_or_skip(run, inputs)
    EXERCISE.assert_records(run, inputs)
