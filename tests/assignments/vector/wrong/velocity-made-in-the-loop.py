"""The velocity is made inside the loop and so is zero at the start of every pass.

told: moved-into-loop* make:state:1
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    path = []
    for _ in range(iterations):
        v = torch.zeros(2)
        path.append(x.tolist())
        f(x).backward()
        with torch.no_grad():
            v = momentum * v + x.grad
            x -= lr * (x.grad + momentum * v)
            x.grad.zero_()
    return path
