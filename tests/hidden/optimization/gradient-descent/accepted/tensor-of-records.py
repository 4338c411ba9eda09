"""The record is one tensor made beforehand."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = torch.empty(iterations, 1)
    for number in range(iterations):
        y = f(x)
        trajectory[number] = y.detach()
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
