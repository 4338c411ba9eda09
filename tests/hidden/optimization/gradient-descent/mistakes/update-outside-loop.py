"""How often does your update line run?

The update stands behind the loop.
Seen: An indentation slip.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        slope = x.grad.clone()
        x.grad.zero_()
    with torch.no_grad():
        x -= lr * slope
    return trajectory
