"""The tensors themselves are put into the list; they go on moving, so all pairs are the last one.

told: aliased-records | call-lost:item record | recorded:variable* record
"""

import torch


def descend_ascend(f, x, y, lr_x, lr_y, rounds):
    x = torch.tensor([float(x)], requires_grad=True)
    y = torch.tensor([float(y)], requires_grad=True)
    path = []
    for _ in range(rounds):
        path.append((x, y))
        f(x, y).backward()
        with torch.no_grad():
            x -= lr_x * x.grad
            y += lr_y * y.grad
        x.grad.zero_()
        y.grad.zero_()
    return path
