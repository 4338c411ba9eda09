"""The learning rate is in the velocity and in the step as well.

told: factor-added:times:lr update:state:1 | argument-replaced:product:lr argument:momentum/update
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    path = []
    v = torch.zeros(2)
    for t in range(iterations):
        path.append(x.tolist())
        f(x).backward()
        g = x.grad
        v = momentum * v + lr * g
        with torch.no_grad():
            x -= lr * (g + momentum * v)
        x.grad.zero_()
    return path
