"""Which quantity was asked for: the slope, or the value?

The gradient is recorded in place of f(x).
Seen: `trajectory.append(x.grad.item())`.
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
        scheduler.step()
        trajectory.append((x.grad.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
