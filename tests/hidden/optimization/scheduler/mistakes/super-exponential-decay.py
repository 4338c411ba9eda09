"""Divide each rate by the one before it. Is it always the same number?

The factor itself shrinks from pass to pass.
Seen: `lr *= gamma ** t`, which compounds what is already compounded.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda t: gamma**t)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
