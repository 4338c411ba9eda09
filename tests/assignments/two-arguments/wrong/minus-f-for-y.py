"""For y, −f is minimized, which is right; but its backward() adds to what f's had left: y never moves, x neither.

told: grad-not-zeroed
"""

import torch


def descend_ascend(f, x, y, lr_x, lr_y, rounds):
    x = torch.tensor([float(x)], requires_grad=True)
    y = torch.tensor([float(y)], requires_grad=True)
    path = []
    for _ in range(rounds):
        path.append((x.item(), y.item()))
        f(x, y).backward()
        (-f(x, y)).backward()
        with torch.no_grad():
            x -= lr_x * x.grad
            y -= lr_y * y.grad
        x.grad.zero_()
        y.grad.zero_()
    return path
