"""Print x.is_leaf before and after your update.

x = x - ... makes a new tensor with a history: it is no leaf, and its .grad stays None.
Seen: The forum's "grad is None after the first iteration" threads.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        x = x - lr * x.grad
        x.grad.zero_()
    return trajectory
