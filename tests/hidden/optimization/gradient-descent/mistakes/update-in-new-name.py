"""On the next pass, where is the value that you computed on this one?

The new point is stored under a name that is never used again.
Seen: `x_new = x - lr * x.grad` without the way back into x.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        x_new = x - lr * x.grad
        x.grad.zero_()
    return trajectory
