"""Count your values.

The loop makes one pass too few.
Seen: `range(1, iterations)` or `range(iterations - 1)`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(1, iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
