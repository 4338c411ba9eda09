"""Ask for 5 passes. How many values come back?

A number of passes is typed in; the argument is not used.
Seen: `range(20)`, copied from the lesson's example.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    for _ in range(15):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
