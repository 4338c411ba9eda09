"""Every argument of SGD is written out."""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD(
        params=[x], lr=lr, momentum=momentum, dampening=0, weight_decay=0, nesterov=False, maximize=False
    )
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        optimizer.step()
    return trajectory
