"""In the first pass the velocity is the gradient's own tensor, and is cleared together with it.

told: nothing
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    path = []
    v = None
    for _ in range(iterations):
        path.append(x.tolist())
        f(x).backward()
        if v is None:
            v = x.grad
        else:
            v = momentum * v + x.grad
        with torch.no_grad():
            x -= lr * (x.grad + momentum * v)
        x.grad.zero_()
    return path
