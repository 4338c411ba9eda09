"""y waits for x to move and takes its slope at the new x.

told: also-*:update:1* backward* | moved-*:update:1* backward*
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
        x.grad.zero_()
        y.grad.zero_()
        f(x, y).backward()
        with torch.no_grad():
            y += lr_y * y.grad
        x.grad.zero_()
        y.grad.zero_()
    return path
