"""The Jacobian of a scalar, in double precision."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor(float(x0), dtype=torch.float64)
    trajectory = []
    for _ in range(iterations):
        trajectory.append(float(f(x)))
        x = x - lr * torch.autograd.functional.jacobian(f, x)
    return trajectory
