"""The record holds one-element tensors without a graph."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        y.backward()
        x.data = x - lr * x.grad
        x.grad.zero_()
        trajectory.append(y.data)
    return trajectory
