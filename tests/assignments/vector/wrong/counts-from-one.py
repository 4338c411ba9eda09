"""range(1, iterations) is one pass short.

told: one-pass-short
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    pos = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    out = []
    v = torch.zeros(2)
    for step in range(1, iterations):
        out.append(pos.detach().tolist())
        f(pos).backward()
        v = momentum * v + pos.grad
        pos = (pos - lr * (pos.grad + momentum * v)).detach().requires_grad_()
    return out
