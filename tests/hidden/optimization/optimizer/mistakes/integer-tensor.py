"""Print x.dtype.

A whole x0 makes a tensor of integers, which cannot have a gradient.
Seen: "Only Tensors of floating point and complex dtype can require gradients".
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([x0], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
