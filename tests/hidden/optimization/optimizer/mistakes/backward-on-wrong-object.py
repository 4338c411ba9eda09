"""What is the thing whose backward() you call? Print its type.

backward() is called on something that has none.
Seen: `f.backward()`, or on a list or a number.
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
        trajectory.backward()
        optimizer.step()
    return trajectory
