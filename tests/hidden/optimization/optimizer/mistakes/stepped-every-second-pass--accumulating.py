"""On which passes does x move?

step() runs on some passes only.
Seen: Gradient accumulation (`if (i + 1) % 2 == 0: optimizer.step()`), copied without need.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for i in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        if i % 2:
            optimizer.step()
            optimizer.zero_grad()
    return trajectory
