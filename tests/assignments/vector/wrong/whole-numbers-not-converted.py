"""torch.tensor(start) keeps whole numbers whole, and those cannot have a gradient.

told: keyword-lost:dtype make:variable | call-lost:float make:variable
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, requires_grad=True)
    path = []
    v = torch.zeros(2)
    for _ in range(iterations):
        path.append(x.tolist())
        f(x).backward()
        with torch.no_grad():
            v = momentum * v + x.grad
            x -= lr * (x.grad + momentum * v)
        x.grad.zero_()
    return path
