"""A triangular learning rate by hand: hidden checks against torch's own CyclicLR."""

import pytest
import torch

from stepgrade.exercise import Exercise


def reference(low, high, up, down, passes):
    """torch.optim.lr_scheduler.CyclicLR in its mode "triangular": the rate that is used in each pass."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=low)
    scheduler = torch.optim.lr_scheduler.CyclicLR(
        optimizer, base_lr=low, max_lr=high, step_size_up=up, step_size_down=down, cycle_momentum=False
    )
    rates = []
    for _ in range(passes):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


LESSON = {"low": 0.1, "high": 0.5, "up": 4, "down": 2, "passes": 14}
HIDDEN = (
    # longer on the way down, ends in the middle of its third cycle
    {"low": 0.003, "high": 0.02, "up": 3, "down": 5, "passes": 21},
    # straight back down
    {"low": 0.25, "high": 2.0, "up": 5, "down": 1, "passes": 16},
    # ends before the top
    {"low": 0.07, "high": 0.13, "up": 9, "down": 6, "passes": 8},
)
EXERCISE = Exercise(
    name="triangular",
    function="triangular",
    columns=("rate",),
    reference=reference,
    lesson=LESSON,
    hidden=HIDDEN,
    objective=None,
    passes="passes",
)


@pytest.mark.points(4)
@pytest.mark.parametrize("inputs", EXERCISE.inputs)
def test_records_torchs_rates(student, inputs):
    """Is it torch's own rate, pass by pass?"""
    EXERCISE.assert_records(student.triangular(**inputs), inputs)
