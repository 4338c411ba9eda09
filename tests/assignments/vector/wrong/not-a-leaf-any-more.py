"""x gets a new value with a history, so that it is no leaf any more and has no .grad in the next pass.

told: rebound* update
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    path = []
    v = torch.zeros(2)
    for _ in range(iterations):
        path.append(x.tolist())
        f(x).backward()
        v = momentum * v + x.grad
        x = x - lr * (x.grad + momentum * v)
    return path
