"""Print x.is_leaf before and after your update.

x = x - ... makes a new tensor with a history: it is no leaf, and its .grad stays None.
Seen: The forum's "grad is None after the first iteration" threads.
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
        x = x - lr * x.grad
        optimizer.step()
    return trajectory
