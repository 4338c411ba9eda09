"""What may stand in x.grad? The error lists it.

A number is assigned to x.grad.
Seen: micrograd's `p.grad = 0`; torch takes a tensor or None.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad = 0.0
    return trajectory
