"""Forward mode: a dual number carries the slope along."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)])
    trajectory = []
    for _ in range(iterations):
        y, slope = torch.func.jvp(f, (x,), (torch.ones(1),))
        trajectory.append(y.item())
        x = x - lr * slope
    return trajectory
