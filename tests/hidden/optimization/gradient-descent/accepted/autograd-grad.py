"""torch.autograd.grad hands the gradient over; nothing is stored."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.nn.Parameter(torch.tensor([float(x0)]))
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        (slope,) = torch.autograd.grad(y, x)
        trajectory.append(y.detach().numpy().copy())
        x.data = x - lr * slope
    return trajectory
