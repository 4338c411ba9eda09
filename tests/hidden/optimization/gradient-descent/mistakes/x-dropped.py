"""Does your line say how far to go, or where to arrive?

The old point is forgotten: x becomes lr times the gradient.
Seen: `x = lr * x.grad`.
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
            x.copy_(lr * x.grad)
        x.grad.zero_()
    return trajectory
