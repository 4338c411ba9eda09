"""Read the name in the error. With which ending, and in which module, does it live?

A name is used that torch does not have.
Seen: `zero()` for `zero_()`, `torch.optim.sgd`, `lr_schedular`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_gradient()
        y.backward()
        optimizer.step()
    return trajectory
