"""Which learning rate did your very first step use?

The rate has decayed once before the first step.
Seen: The order of torch before 1.1: `scheduler.step()` ahead of `optimizer.step()`.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    for _ in range(iterations):
        scheduler.step()
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
