"""Does your rate shrink on every pass, or only when f does something special?

The rate falls only when f stops improving.
Seen: `torch.optim.lr_scheduler.ReduceLROnPlateau`.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=gamma, patience=0)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step(y.item())
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
