"""The textbook's other form, where x_t is the point ahead, at which f is called; recorded is the point behind it.

told: nothing
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32)
    v = torch.zeros_like(x)
    path = []
    for _ in range(iterations):
        path.append(x.tolist())
        ahead = (x - lr * momentum * v).requires_grad_()
        f(ahead).backward()
        v = momentum * v + ahead.grad
        x = x - lr * v
    return path
