"""What is your velocity before the first pass?

The velocity does not start at zero.
Seen: `torch.ones_like(x)` or x itself as its first value.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    (velocity,) = torch.autograd.grad(f(x), x)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        (slope,) = torch.autograd.grad(y, x)
        velocity = momentum * velocity + slope
        with torch.no_grad():
            x -= lr * velocity
    return trajectory
