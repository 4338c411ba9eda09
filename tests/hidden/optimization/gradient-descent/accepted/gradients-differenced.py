"""The gradient is never cleared: the new part of the sum is used."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory, seen = [], torch.zeros(1)
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * (x.grad - seen)
        seen = x.grad.clone()
    return trajectory
