"""Uphill is taken for "to the right": y grows by the size of its slope.

told: term-changed:absolute update:2 | gradient:absolute backward
"""

import torch


def descend_ascend(f, x, y, lr_x, lr_y, rounds):
    x = torch.tensor([float(x)], requires_grad=True)
    y = torch.tensor([float(y)], requires_grad=True)
    path = []
    for _ in range(rounds):
        path.append((x.item(), y.item()))
        f(x, y).backward()
        with torch.no_grad():
            x -= lr_x * x.grad
            y += lr_y * abs(y.grad)
        x.grad.zero_()
        y.grad.zero_()
    return path
