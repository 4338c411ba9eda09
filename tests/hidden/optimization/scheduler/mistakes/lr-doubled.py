"""Compare the size of your first step with lr times the gradient. What is their ratio?

The step is twice as long as asked for.
Seen: A factor 2 kept from the derivative of a square.
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
        (2 * y).backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
