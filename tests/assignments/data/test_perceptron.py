"""The perceptron on lists of points and labels: hidden checks against torch's own gradients and SGD."""

import pytest
import torch

from stepgrade.exercise import Exercise


def reference(points, labels, lr, sweeps):
    """SGD on the perceptron's loss −label·score where label·score ≤ 0, with torch.nn.Linear and torch.optim.SGD."""
    model = torch.nn.Linear(2, 1, dtype=torch.float64)
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    history = []
    for _ in range(sweeps):
        for point, label in zip(points, labels, strict=True):
            history.append((*model.weight[0].tolist(), model.bias.item()))
            margin = label * model(torch.tensor(point, dtype=torch.float64))
            if margin <= 0:
                optimizer.zero_grad()
                (-margin).sum().backward()
                optimizer.step()
    return history


LESSON = {
    "points": [[3.0, 0.5], [0.5, 2.0], [0.0, 3.0], [-1.5, -2.5]],
    "labels": [1, -1, 1, -1],
    "lr": 0.5,
    "sweeps": 2,
}
HIDDEN = (
    # no line parts them; the first label is −1
    {
        "points": [[1.5, 0.25], [0.75, 1.25], [-0.5, 2.0], [1.0, -1.5], [2.25, 2.0], [-1.75, 0.5]],
        "labels": [-1, 1, -1, 1, 1, -1],
        "lr": 0.3,
        "sweeps": 3,
    },
    # a line parts them, away from the origin; whole numbers
    {
        "points": [[4, 1], [5, 3], [3, 4], [6, 2], [2, 2]],
        "labels": [1, 1, -1, 1, -1],
        "lr": 0.07,
        "sweeps": 4,
    },
    # one sweep
    {
        "points": [[-0.6, -0.6], [0.9, -0.2], [-1.9, 0.6], [1.5, -1.4], [-0.9, 2.0], [-0.2, -1.3], [0.1, 1.2]],
        "labels": [1, -1, -1, 1, 1, -1, 1],
        "lr": 1.4,
        "sweeps": 1,
    },
)
EXERCISE = Exercise(
    name="perceptron",
    function="perceptron",
    columns=("w[0]", "w[1]", "b"),
    reference=reference,
    lesson=LESSON,
    hidden=HIDDEN,
    objective=None,
    passes=None,
)


@pytest.mark.points(4)
@pytest.mark.parametrize("inputs", EXERCISE.inputs)
def test_records_torchs_weights(student, inputs):
    """Are weights and bias torch's own, point by point?"""
    EXERCISE.assert_records(student.perceptron(**inputs), inputs)
