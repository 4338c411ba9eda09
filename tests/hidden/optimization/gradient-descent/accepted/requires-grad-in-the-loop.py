"""x asks for its gradient at the top of every pass."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)])
    trajectory = []
    for _ in range(iterations):
        x.requires_grad_()
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        x = x.data - lr * x.grad
    return trajectory
