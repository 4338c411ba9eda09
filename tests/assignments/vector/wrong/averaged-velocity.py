"""The velocity is a running average, as in Adam, and not a sum.

told: factor-added:times-complement:momentum update:state:* | argument-replaced:times-complement:momentum argument:lr/*
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    m = torch.zeros_like(x)
    path = []
    for _ in range(iterations):
        path.append(x.tolist())
        x.grad = None
        f(x).backward()
        m = momentum * m + (1 - momentum) * x.grad
        with torch.no_grad():
            x -= lr * (x.grad + momentum * m)
    return path
