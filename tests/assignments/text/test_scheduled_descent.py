"""Gradient descent with a schedule that is chosen by its name: hidden checks against torch's own SGD and LambdaLR."""

import pytest
import torch

from stepgrade.exercise import Exercise, Objective

FACTORS = {"constant": lambda t: 1.0, "inverse": lambda t: 1 / (1 + t), "sqrt": lambda t: (1 + t) ** -0.5}


def reference(f, start, lr, schedule, passes):
    """SGD whose rate torch.optim.lr_scheduler.LambdaLR sets to lr times a factor of the pass."""
    x = torch.tensor([float(start)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, FACTORS[schedule])
    trajectory = []
    for _ in range(passes):
        optimizer.zero_grad()
        y = f(x)
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
        y.backward()
        optimizer.step()
        scheduler.step()
    return trajectory


LESSON = {"f": Objective("x ** 2"), "start": 5, "lr": 0.4, "schedule": "sqrt", "passes": 8}
HIDDEN = (
    {
        "f": Objective("0.5 * (x - 3) ** 2 + torch.sin(x)"),
        "start": -2.5,
        "lr": 0.9,
        "schedule": "inverse",
        "passes": 11,
    },
    {"f": Objective("x ** 4 / 40 - x ** 2 + 0.3 * x"), "start": -7, "lr": 0.05, "schedule": "constant", "passes": 9},
    {"f": Objective("torch.exp(0.3 * x) - 0.7 * x"), "start": 4.75, "lr": 1.2, "schedule": "sqrt", "passes": 7},
)
EXERCISE = Exercise(
    name="scheduled-descent",
    function="scheduled_descent",
    columns=("f(x_t)", "rate"),
    reference=reference,
    lesson=LESSON,
    hidden=HIDDEN,
    objective="f",
    passes="passes",
)


@pytest.mark.points(2)
@pytest.mark.parametrize("inputs", EXERCISE.inputs)
def test_follows_torch(student, inputs):
    """Does x walk torch's own path, with the schedule of that name?"""
    EXERCISE.assert_follows(student.scheduled_descent(**inputs), inputs)


@pytest.mark.points(2)
@pytest.mark.parametrize("inputs", EXERCISE.inputs)
def test_records_value_and_rate(student, inputs):
    """Is the pair (f(x_t) before the update, rate of this pass) recorded once per pass?"""
    run = student.scheduled_descent(**inputs)
    EXERCISE.follows_or_skip(run, inputs)
    EXERCISE.assert_records(run, inputs)
