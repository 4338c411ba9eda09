"""Which quantity was asked for: the slope, or the value?

The gradient is recorded in place of f(x).
Seen: `trajectory.append(x.grad.item())`.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        y.backward()
        trajectory.append(x.grad.item())
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
