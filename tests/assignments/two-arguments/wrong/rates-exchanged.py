"""x moves with the rate of y, and y with the rate of x.

told: taken-for:lr_? argument:lr_? | arguments-swapped argument:lr_?
"""

import torch


def descend_ascend(f, x, y, lr_x, lr_y, rounds):
    x = torch.tensor([float(x)], requires_grad=True)
    y = torch.tensor([float(y)], requires_grad=True)
    path = []
    for _ in range(rounds):
        path.append((x.item(), y.item()))
        dx, dy = torch.autograd.grad(f(x, y), (x, y))
        with torch.no_grad():
            x -= lr_y * dx
            y += lr_x * dy
    return path
