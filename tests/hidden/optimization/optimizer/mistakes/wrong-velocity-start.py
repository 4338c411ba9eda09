"""What is your velocity before the first pass?

The velocity does not start at zero.
Seen: `torch.ones_like(x)` or x itself as its first value.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    velocity = torch.ones(1)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        velocity = momentum * velocity + x.grad
        with torch.no_grad():
            x -= lr * velocity
        x.grad.zero_()
    return trajectory
