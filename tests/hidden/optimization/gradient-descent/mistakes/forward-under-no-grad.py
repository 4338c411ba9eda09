"""Which lines must torch watch, and which must it not?

f is evaluated under no_grad.
Seen: `torch.no_grad` around the whole loop.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        with torch.no_grad():
            y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
