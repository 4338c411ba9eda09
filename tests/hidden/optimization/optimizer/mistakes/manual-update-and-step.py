"""Who moves x: you, or the optimizer?

A hand-written update and optimizer.step() both move x.
Seen: The by-hand exercise left in when the optimizer came.
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
        y.backward()
        x.data = x.data - lr * x.grad
        optimizer.step()
    return trajectory
