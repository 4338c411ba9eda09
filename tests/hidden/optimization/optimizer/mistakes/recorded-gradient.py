"""Which quantity was asked for: the slope, or the value?

The gradient is recorded in place of f(x).
Seen: `trajectory.append(x.grad.item())`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
        trajectory.append(x.grad.item())
    return trajectory
