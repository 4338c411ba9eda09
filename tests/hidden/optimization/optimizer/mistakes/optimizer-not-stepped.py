"""Which line is allowed to change x? Does it run?

optimizer.step() is missing or has no parentheses.
Seen: `optimizer.step` as a bare name is no error in Python.
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
    return trajectory
