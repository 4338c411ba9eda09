"""Print x.dtype.

A whole x0 makes a tensor of integers, which cannot have a gradient.
Seen: "Only Tensors of floating point and complex dtype can require gradients".
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([x0], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
