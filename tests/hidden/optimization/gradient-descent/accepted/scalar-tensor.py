"""x has no dimension, and the clearing stands under no_grad."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor(float(x0), requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
            x.grad.zero_()
    return trajectory
