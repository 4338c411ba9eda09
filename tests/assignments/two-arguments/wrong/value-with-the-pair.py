"""Three numbers are recorded per round: the value of f is added to the pair.

told: extra-column | column-added record
"""

import torch


def descend_ascend(f, x, y, lr_x, lr_y, rounds):
    x = torch.tensor([float(x)], requires_grad=True)
    y = torch.tensor([float(y)], requires_grad=True)
    path = []
    for _ in range(rounds):
        value = f(x, y)
        path.append((x.item(), y.item(), value.item()))
        value.backward()
        with torch.no_grad():
            x -= lr_x * x.grad
            y += lr_y * y.grad
        x.grad.zero_()
        y.grad.zero_()
    return path
