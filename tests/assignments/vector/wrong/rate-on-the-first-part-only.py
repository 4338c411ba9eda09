"""The parentheses are missing: the learning rate is on the gradient and not on the velocity.

told: parentheses-lost update | left-operand-lost update:state:1
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    path = []
    v = torch.zeros_like(x)
    for _ in range(iterations):
        path.append(x.tolist())
        f(x).backward()
        with torch.no_grad():
            v = momentum * v + x.grad
            x -= lr * x.grad + momentum * v
        x.grad.zero_()
    return path
