"""On which passes does x move?

step() runs on some passes only.
Seen: Gradient accumulation (`if (i + 1) % 2 == 0: optimizer.step()`), copied without need.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    for i in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        if i % 2 == 0:
            optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
