"""Learning rate and momentum stand in each other's place.

told: taken-for:* argument:* | arguments-swapped *
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    path = []
    v = torch.zeros(2)
    for _ in range(iterations):
        path.append(x.tolist())
        f(x).backward()
        with torch.no_grad():
            v = lr * v + x.grad
            x -= momentum * (x.grad + lr * v)
        x.grad.zero_()
    return path
