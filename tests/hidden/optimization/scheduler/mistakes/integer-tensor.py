"""Print x.dtype.

A whole x0 makes a tensor of integers, which cannot have a gradient.
Seen: "Only Tensors of floating point and complex dtype can require gradients".
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([x0], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
