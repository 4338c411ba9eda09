"""f is evaluated once for each player; both backward() add to both gradients, so every step is twice as long.

told: doubled* backward* | doubled* forward*
"""

import torch


def descend_ascend(f, x, y, lr_x, lr_y, rounds):
    x = torch.tensor([float(x)], requires_grad=True)
    y = torch.tensor([float(y)], requires_grad=True)
    path = []
    for _ in range(rounds):
        path.append((x.item(), y.item()))
        loss_x = f(x, y)
        loss_y = f(x, y)
        loss_x.backward()
        loss_y.backward()
        with torch.no_grad():
            x -= lr_x * x.grad
            y += lr_y * y.grad
        x.grad.zero_()
        y.grad.zero_()
    return path
