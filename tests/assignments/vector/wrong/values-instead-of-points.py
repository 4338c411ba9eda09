"""What is recorded is f(x), one number, and not x.

told: recorded:value record | recorded value | values-recorded
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    losses = []
    v = torch.zeros(2)
    for _ in range(iterations):
        y = f(x)
        losses.append(y.item())
        y.backward()
        with torch.no_grad():
            v = momentum * v + x.grad
            x -= lr * (x.grad + momentum * v)
        x.grad.zero_()
    return losses
