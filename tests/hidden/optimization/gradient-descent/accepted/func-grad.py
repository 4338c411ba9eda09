"""A function transform gives slope and value at once."""

import torch


def gradient_descent(f, x0, lr, iterations):
    slope_and_value = torch.func.grad_and_value(lambda x: f(x).sum())
    x = torch.tensor(float(x0))
    trajectory = []
    for _ in range(iterations):
        slope, value = slope_and_value(x)
        trajectory.append(value)
        x = x - lr * slope
    return trajectory
