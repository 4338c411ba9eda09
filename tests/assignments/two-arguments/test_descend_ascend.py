"""Descent in x and ascent in y at the same time: hidden checks against torch's own SGD, which can maximize."""

import pytest
import torch

from stepgrade.exercise import Exercise, Objective


def reference(f, x, y, lr_x, lr_y, rounds):
    """x_{t+1} = x_t − lr_x ∂f/∂x, y_{t+1} = y_t + lr_y ∂f/∂y, both at (x_t, y_t): two groups of torch.optim.SGD."""
    x = torch.tensor([float(x)], requires_grad=True)
    y = torch.tensor([float(y)], requires_grad=True)
    players = [{"params": [x], "lr": lr_x}, {"params": [y], "lr": lr_y, "maximize": True}]
    optimizer = torch.optim.SGD(players)
    path = []
    for _ in range(rounds):
        path.append((x.item(), y.item()))
        optimizer.zero_grad()
        f(x, y).backward()
        optimizer.step()
    return path


LESSON = {"f": Objective("x ** 2 / 2 + x * y - y ** 2", "x y"), "x": 3, "y": -1, "lr_x": 0.2, "lr_y": 0.1, "rounds": 8}
HIDDEN = (
    {
        "f": Objective("(x - 1) ** 2 + 0.8 * x * y - 0.3 * y ** 2 + torch.sin(y)", "x y"),
        "x": -2.5,
        "y": 1.75,
        "lr_x": 0.15,
        "lr_y": 0.35,
        "rounds": 11,
    },
    {
        "f": Objective("x ** 4 / 20 - 1.3 * x * y - torch.exp(0.4 * y)", "x y"),
        "x": 2,
        "y": -3.5,
        "lr_x": 0.3,
        "lr_y": 0.12,
        "rounds": 9,
    },
    {
        "f": Objective("torch.cos(x - y) + 0.4 * x ** 2 - 0.7 * (y + 2) ** 2", "x y"),
        "x": 1.25,
        "y": 0.5,
        "lr_x": 0.45,
        "lr_y": 0.2,
        "rounds": 6,
    },
)
EXERCISE = Exercise(
    name="descend-ascend",
    function="descend_ascend",
    columns=("x", "y"),
    reference=reference,
    lesson=LESSON,
    hidden=HIDDEN,
    objective="f",
    passes="rounds",
)


@pytest.mark.points(2)
@pytest.mark.parametrize("inputs", EXERCISE.inputs)
def test_follows_torch(student, inputs):
    """Do x and y walk torch's own path, round by round?"""
    EXERCISE.assert_follows(student.descend_ascend(**inputs), inputs)


@pytest.mark.points(2)
@pytest.mark.parametrize("inputs", EXERCISE.inputs)
def test_records_before_the_update(student, inputs):
    """Is the pair (x_t, y_t) recorded once per round, before both move?"""
    run = student.descend_ascend(**inputs)
    EXERCISE.follows_or_skip(run, inputs)
    EXERCISE.assert_records(run, inputs)
