"""Both move with lr_x; lr_y is not used.

told: argument-replaced:by:lr_x argument:lr_y
"""

import torch


def descend_ascend(f, x, y, lr_x, lr_y, rounds):
    x = torch.tensor([float(x)], requires_grad=True)
    y = torch.tensor([float(y)], requires_grad=True)
    lr = lr_x
    path = []
    for _ in range(rounds):
        path.append((x.item(), y.item()))
        f(x, y).backward()
        with torch.no_grad():
            x -= lr * x.grad
            y += lr * y.grad
            x.grad.zero_()
            y.grad.zero_()
    return path
