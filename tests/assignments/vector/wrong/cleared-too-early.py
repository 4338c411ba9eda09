"""The gradient is cleared right after backward(), before it has been used.

told: moved-before:* clear | moved-after:backward* clear
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    path = []
    v = torch.zeros(2)
    for _ in range(iterations):
        path.append(x.tolist())
        y = f(x)
        y.backward()
        x.grad.zero_()
        v = momentum * v + x.grad
        with torch.no_grad():
            x -= lr * (x.grad + momentum * v)
    return path
