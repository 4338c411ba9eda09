"""A central difference in double precision, fine enough for the tolerance."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x, h = torch.tensor([x0], dtype=torch.float64), 1e-5
    trajectory = []
    for _ in range(iterations):
        trajectory.append(f(x).item())
        slope = (f(x + h) - f(x - h)) / (2 * h)
        x = x - lr * slope
    return trajectory
