"""Print optimizer.param_groups. What type is it?

The list of groups is read as if it were one group.
Seen: `optimizer.param_groups["lr"]`.
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
        trajectory.append((y.item(), optimizer.param_groups["lr"]))
    return trajectory
