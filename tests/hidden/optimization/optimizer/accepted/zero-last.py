"""The gradient is cleared at the end of the pass."""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        y.backward()
        optimizer.step()
        optimizer.zero_grad()
        trajectory.append(y.data)
    return trajectory
