"""How large is the error of your slope? Which tool gives it without any?

A difference quotient stands in for the derivative and is too coarse or too noisy in float32.
Seen: Numerical differentiation as in `torch.autograd.gradcheck`, which asks for float64 for this reason.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)])
    velocity = torch.zeros(1)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        slope = (f(x + 0.01) - y) / 0.01
        velocity = momentum * velocity + slope
        x = x - lr * velocity
    return trajectory
