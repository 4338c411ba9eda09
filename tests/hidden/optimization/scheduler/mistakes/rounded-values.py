"""How many digits of each number did you keep?

Rounded numbers are recorded.
Seen: `round(y.item(), 3)` kept from the printed table.
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
        trajectory.append((round(y.item(), 2), round(optimizer.param_groups[0]["lr"], 2)))
    return trajectory
