"""The older way: x.data gets a new tensor."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        x.data = x.data - lr * x.grad
        x.grad.zero_()
    return trajectory
