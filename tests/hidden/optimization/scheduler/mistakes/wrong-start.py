"""Compare your first value with f(x0).

x starts somewhere else than at x0.
Seen: A start chosen by hand, at random or shifted.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([10.0], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
