"""Print x and its shape before the loop.

torch.Tensor(x0) reads a whole number as a length.
Seen: `torch.Tensor(8)` has eight numbers, `torch.tensor(8.0)` has one.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.Tensor(x0).requires_grad_()
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
