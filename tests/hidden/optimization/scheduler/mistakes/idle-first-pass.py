"""On which pass does x move for the first time?

The update stands before backward(): the first pass does not move and the walk lags by one pass.
Seen: Guards such as `if x.grad is not None:` around an update placed too high.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        optimizer.step()
        optimizer.zero_grad()
        f(x).backward()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
