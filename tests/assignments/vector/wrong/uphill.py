"""The step goes with the gradient, uphill.

told: operator-turned:A?B update | flag-given:maximize * | loss-changed:negative backward | gradient:negative backward
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    path = []
    velocity = torch.zeros_like(x)
    for _ in range(iterations):
        path.append(x.tolist())
        f(x).backward()
        velocity = momentum * velocity + x.grad
        update = x.grad + momentum * velocity
        x.data += lr * update
        x.grad.zero_()
    return path
