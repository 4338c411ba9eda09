"""The gradient is forgotten, and summed values make backward() a scalar's."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.sum().backward()
        with torch.no_grad():
            x.sub_(x.grad, alpha=lr)
        x.grad = None
    return trajectory
