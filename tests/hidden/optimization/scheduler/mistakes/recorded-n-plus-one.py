"""Count your values, and count your passes.

The start and all points after it are recorded: one value too many.
Seen: A list that begins with the start before the loop, as in `scipy` callbacks and plotting code.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = [(f(x).item(), lr)]
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((f(x).item(), optimizer.param_groups[0]["lr"]))
    return trajectory
