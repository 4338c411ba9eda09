"""Your list should begin with f(x0). What does it begin with?

f is recorded after the update: f(x_{t+1}) in place of f(x_t).
Seen: The append line below the update, with f(x) evaluated anew.
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
        trajectory.append((f(x).item(), optimizer.param_groups[0]["lr"]))
    return trajectory
