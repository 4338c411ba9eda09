"""What type was asked for, and what type comes back?

A dict comes back.
Seen: Histories as in other libraries: `{"loss": [...]}`.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = {}
    for i in range(iterations):
        y = f(x)
        trajectory[i] = y.item()
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
