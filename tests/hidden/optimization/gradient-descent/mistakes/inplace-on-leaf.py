"""The error names two facts about x that do not go together. Which are they?

x is changed in place outside no_grad.
Seen: "a leaf Variable that requires grad is being used in an in-place operation."
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        x -= lr * x.grad
        x.grad.zero_()
    return trajectory
