"""The list holds the very same numbers many times over: x.data shares its memory with x, which goes on moving.

told: aliased-records | recorded:variable record | call-lost:tolist record
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    path = []
    vel = torch.zeros_like(x)
    for _ in range(iterations):
        path.append(x.data)
        f(x).backward()
        with torch.no_grad():
            vel = momentum * vel + x.grad
            x -= lr * (x.grad + momentum * vel)
        x.grad.zero_()
    return path
