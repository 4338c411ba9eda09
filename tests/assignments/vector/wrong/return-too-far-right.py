"""The return belongs to the loop, so there is only one pass.

told: return-inside-loop
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    path = []
    velocity = torch.zeros(2)
    for _ in range(iterations):
        path.append(x.tolist())
        f(x).backward()
        with torch.no_grad():
            velocity = momentum * velocity + x.grad
            x -= lr * (x.grad + momentum * velocity)
        x.grad.zero_()
        return path
