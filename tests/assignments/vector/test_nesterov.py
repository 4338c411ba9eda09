"""Nesterov's momentum by hand on a landscape: hidden checks against torch's own SGD with nesterov=True."""

import pytest
import torch

from stepgrade.exercise import Exercise, Objective


def reference(f, start, lr, momentum, iterations):
    """v ← momentum v + ∇f(x_t), x_{t+1} = x_t − lr (∇f(x_t) + momentum v), as torch.optim.SGD has it."""
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum, nesterov=True)
    path = []
    for _ in range(iterations):
        path.append(x.tolist())
        optimizer.zero_grad()
        f(x).backward()
        optimizer.step()
    return path


VALLEY = Objective("x[0] ** 2 / 20 + x[1] ** 2")
LESSON = {"f": VALLEY, "start": [-9.0, 3.0], "lr": 0.3, "momentum": 0.8, "iterations": 8}
HIDDEN = (
    # a bent valley, and a start of whole numbers
    {
        "f": Objective("(1 - x[0]) ** 2 / 4 + (x[1] - x[0] ** 2 / 4) ** 2"),
        "start": [-3, 4],
        "lr": 0.07,
        "momentum": 0.6,
        "iterations": 12,
    },
    # two directions that are coupled, and waves
    {
        "f": Objective("x[0] ** 2 + x[0] * x[1] + 0.6 * x[1] ** 2 + torch.sin(2 * x[1])"),
        "start": [1.5, -2.25],
        "lr": 0.13,
        "momentum": 0.45,
        "iterations": 9,
    },
    # flat, not symmetric
    {
        "f": Objective("torch.log(1 + torch.exp(x[0] - 2 * x[1])) + 0.3 * (x[0] + x[1]) ** 2"),
        "start": [2.5, 0.75],
        "lr": 0.4,
        "momentum": 0.7,
        "iterations": 7,
    },
)
EXERCISE = Exercise(
    name="nesterov",
    function="nesterov",
    columns=("x[0]", "x[1]"),
    reference=reference,
    lesson=LESSON,
    hidden=HIDDEN,
    objective="f",
    passes="iterations",
)


@pytest.mark.points(3)
@pytest.mark.parametrize("inputs", EXERCISE.inputs)
def test_follows_torch(student, inputs):
    """Does x walk the path of torch's SGD with Nesterov's momentum, step by step?"""
    EXERCISE.assert_follows(student.nesterov(**inputs), inputs)


@pytest.mark.points(2)
@pytest.mark.parametrize("inputs", EXERCISE.inputs)
def test_records_before_the_update(student, inputs):
    """Is x_t recorded once per pass, before the update?"""
    run = student.nesterov(**inputs)
    EXERCISE.follows_or_skip(run, inputs)
    EXERCISE.assert_records(run, inputs)
