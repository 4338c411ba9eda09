"""x goes uphill and y downhill.

told: operator-turned:A?B update* | loss-changed:negative backward | gradient:negative backward
"""

import torch


def descend_ascend(f, x, y, lr_x, lr_y, rounds):
    x = torch.tensor([float(x)], requires_grad=True)
    y = torch.tensor([float(y)], requires_grad=True)
    path = []
    for i in range(rounds):
        path.append((x.item(), y.item()))
        f(x, y).backward()
        x.data = x.data + lr_x * x.grad
        y.data = y.data - lr_y * y.grad
        x.grad = None
        y.grad = None
    return path
