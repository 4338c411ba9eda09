"""The parameters come in a group that carries its own settings."""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.nn.Parameter(torch.tensor([float(x0)]))
    optimizer = torch.optim.SGD([{"params": [x], "lr": lr, "momentum": momentum}], lr=1.0)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        optimizer.step()
    return trajectory
