"""y was made without requires_grad, so it has no gradient.

told: keyword-lost:requires_grad make:variable:2 | flag-turned make:variable:2
"""

import torch


def descend_ascend(f, x, y, lr_x, lr_y, rounds):
    x = torch.tensor([float(x)], requires_grad=True)
    y = torch.tensor([float(y)])
    path = []
    for _ in range(rounds):
        path.append((x.item(), y.item()))
        f(x, y).backward()
        with torch.no_grad():
            x -= lr_x * x.grad
            y += lr_y * y.grad
        x.grad.zero_()
        y.grad.zero_()
    return path
