"""Which quantity was asked for: the point, or the value there?

x is recorded in place of f(x).
Seen: `trajectory.append(x.item())`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(x.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
