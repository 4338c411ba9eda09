"""Which of your arguments is which? Give them by name.

lr and gamma have changed places.
Seen: Positional arguments.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=gamma)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=lr)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
