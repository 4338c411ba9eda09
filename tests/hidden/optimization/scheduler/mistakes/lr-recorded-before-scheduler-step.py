"""Your first rate is lr itself. Which rate is set at the end of the first pass?

The rate that was used is recorded, not the rate after scheduler.step().
Seen: `scheduler.get_last_lr()` read above `scheduler.step()`.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
        scheduler.step()
    return trajectory
