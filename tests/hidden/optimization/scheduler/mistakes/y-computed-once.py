"""Which x went into the y of your second pass?

f is evaluated once, above the loop.
Seen: The forward pass pulled out of the loop; torch then asks for `retain_graph=True`.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    y = f(x)
    for _ in range(iterations):
        optimizer.zero_grad()
        y.backward(retain_graph=True)
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
