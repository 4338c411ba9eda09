"""The gradient is never cleared, so every pass works with the sum of all gradients so far.

told: grad-not-zeroed
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    path = []
    v = torch.tensor([0.0, 0.0])
    for _ in range(iterations):
        path.append(x.tolist())
        y = f(x)
        y.backward()
        v = momentum * v + x.grad
        x.data = x.data - lr * (x.grad + momentum * v)
    return path
