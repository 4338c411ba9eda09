"""Using an optimizer: hidden checks against torch's own SGD with momentum."""

import pytest
import torch

from stepgrade.exercise import Exercise, Objective


def reference(f, x0, lr, momentum, iterations):
    """SGD with momentum as torch.optim.SGD walks it: v ← momentum v + ∇f(x_t), x_{t+1} = x_t − lr v."""
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        optimizer.step()
    return trajectory


LESSON = {"f": Objective("x ** 2"), "x0": 8, "lr": 0.01, "momentum": 0.9, "iterations": 10}
HIDDEN = (
    {"f": Objective("0.5 * (x - 3) ** 2 + torch.sin(x)"), "x0": -2.5, "lr": 0.23, "momentum": 0.7, "iterations": 12},
    {"f": Objective("x ** 4 / 40 - x ** 2 + 0.3 * x"), "x0": -7, "lr": 0.04, "momentum": 0.6, "iterations": 13},
    {"f": Objective("torch.exp(0.3 * x) - 0.7 * x"), "x0": 4.75, "lr": 0.37, "momentum": 0.35, "iterations": 9},
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
            "x-reset-in-loop",
        ]
    ),
    # every step is twice as long
    frozenset(
        [
            "backward-twice",
            "lr-doubled",
        ]
    ),
    # v ← m v + (1 − m) g is SGD's velocity with a smaller rate
    frozenset(
        [
            "ema-momentum",
            "lr-times-one-minus-momentum",
        ]
    ),
    # averaged SGD decays x by 10⁻⁴ of a step, and is plain SGD else
    frozenset(
        [
            "momentum-lost",
            "other-optimizer-asgd",
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
    name="optimizer",
    function="use_optimizer",
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
    """Does x walk the path of torch's SGD with momentum, step by step?"""
    EXERCISE.assert_follows(student.use_optimizer(**inputs), inputs)


@pytest.mark.points(1)
@pytest.mark.parametrize("inputs", EXERCISE.inputs)
def test_records_before_the_update(student, inputs):
    """Is f(x_t) recorded once per pass, before the update?"""
    run = student.use_optimizer(**inputs)
    EXERCISE.follows_or_skip(run, inputs)
    EXERCISE.assert_records(run, inputs)
