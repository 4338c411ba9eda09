"""Of which quantity do you take the gradient: of f(x), or of something made from it?

A mean squared error between f(x) and 0 is minimised: f(x)² instead of f(x).
Seen: `torch.nn.MSELoss`, a habit from regression.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        (y**2 / 2).backward()
        optimizer.step()
    return trajectory
