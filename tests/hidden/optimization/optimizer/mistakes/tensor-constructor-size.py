"""Print x and its shape before the loop.

torch.Tensor(x0) reads a whole number as a length.
Seen: `torch.Tensor(8)` has eight numbers, `torch.tensor(8.0)` has one.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.Tensor(x0).requires_grad_()
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
