"""Neither gradient is ever cleared.

told: grad-not-zeroed
"""

import torch


def descend_ascend(f, x, y, lr_x, lr_y, rounds):
    a = torch.tensor([float(x)], requires_grad=True)
    b = torch.tensor([float(y)], requires_grad=True)
    result = []
    for _ in range(rounds):
        result.append((a.item(), b.item()))
        f(a, b).backward()
        with torch.no_grad():
            a.sub_(lr_x * a.grad)
            b.add_(lr_y * b.grad)
    return result
