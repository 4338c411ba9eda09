"""The velocity is a global variable: the second call begins with what the first one left.

told: state-leaks-between-calls
"""

import torch

velocity = torch.zeros(2)


def nesterov(f, start, lr, momentum, iterations):
    global velocity
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    path = []
    for _ in range(iterations):
        path.append(x.tolist())
        f(x).backward()
        velocity = momentum * velocity + x.grad
        with torch.no_grad():
            x -= lr * (x.grad + momentum * velocity)
        x.grad.zero_()
    return path
