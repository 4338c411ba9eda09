"""x is written down at the end of the pass, after it has moved.

told: recorded-after
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    v = torch.zeros(len(start))
    trajectory = []
    for step in range(iterations):
        f(x).backward()
        with torch.no_grad():
            v.mul_(momentum).add_(x.grad)
            x -= lr * (x.grad + momentum * v)
        x.grad.zero_()
        trajectory.append(x.tolist())
    return trajectory
