"""No scheduler: the group's rate is multiplied by hand."""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        optimizer.param_groups[0]["lr"] *= gamma
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
