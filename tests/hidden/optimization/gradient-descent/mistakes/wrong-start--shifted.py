"""Compare your first value with f(x0).

x starts somewhere else than at x0.
Seen: A start chosen by hand, at random or shifted.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0) + 1], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
