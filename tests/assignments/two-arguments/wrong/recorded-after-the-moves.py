"""The pair is written down after both have moved.

told: recorded-after
"""

import torch


def descend_ascend(f, x, y, lr_x, lr_y, rounds):
    x = torch.tensor([float(x)], requires_grad=True)
    y = torch.tensor([float(y)], requires_grad=True)
    path = []
    for _ in range(rounds):
        f(x, y).backward()
        with torch.no_grad():
            x -= lr_x * x.grad
            y += lr_y * y.grad
        x.grad.zero_()
        y.grad.zero_()
        path.append((x.item(), y.item()))
    return path
