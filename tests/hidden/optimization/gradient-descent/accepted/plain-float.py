"""The point is a Python number; a leaf is made of it on every pass."""

import torch


def gradient_descent(f, x0, lr, iterations):
    point = float(x0)
    trajectory = []
    for _ in range(iterations):
        leaf = torch.tensor([point], requires_grad=True)
        y = f(leaf)
        trajectory.append(y.item())
        y.backward()
        point = point - lr * leaf.grad.item()
    return trajectory
