"""Two schedulers with the root of gamma each."""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    schedulers = [torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma**0.5) for _ in range(2)]
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
