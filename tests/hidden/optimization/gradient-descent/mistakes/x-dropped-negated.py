"""Read your update operator aloud, character by character.

`=-` in place of `-=`: x becomes minus the step.
Seen: Python reads `x =- step` as `x = (-step)`.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x =- lr * x.grad
        x.requires_grad_()
    return trajectory
