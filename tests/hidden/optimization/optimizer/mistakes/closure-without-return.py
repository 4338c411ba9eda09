"""What does step(closure) give back?

The closure returns nothing.
Seen: `torch.optim.Optimizer.step` gives back what the closure returns.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []

    def closure():
        optimizer.zero_grad()
        f(x).backward()

    for _ in range(iterations):
        y = optimizer.step(closure)
        trajectory.append(y.item())
    return trajectory
