"""The gradient is cleared twice; harmless."""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        optimizer.step()
        optimizer.zero_grad()
    return trajectory
