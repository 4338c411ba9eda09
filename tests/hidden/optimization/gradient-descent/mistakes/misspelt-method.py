"""Read the name in the error. With which ending, and in which module, does it live?

A name is used that torch does not have.
Seen: `zero()` for `zero_()`, `torch.optim.sgd`, `lr_schedular`.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero()
    return trajectory
