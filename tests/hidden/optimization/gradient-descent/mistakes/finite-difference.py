"""How large is the error of your slope? Which tool gives it without any?

A difference quotient stands in for the derivative and is too coarse or too noisy in float32.
Seen: Numerical differentiation as in `torch.autograd.gradcheck`, which asks for float64 for this reason.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)])
    h = 0.01
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        slope = (f(x + h) - f(x)) / h
        x = x - lr * slope
    return trajectory
