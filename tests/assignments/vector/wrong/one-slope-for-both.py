"""Both numbers are moved by the mean of the two slopes.

told: gradient:mean backward
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    path = []
    v = 0.0
    for _ in range(iterations):
        path.append(x.tolist())
        f(x).backward()
        slope = x.grad.mean().item()
        v = momentum * v + slope
        with torch.no_grad():
            x -= lr * (slope + momentum * v)
        x.grad.zero_()
    return path
