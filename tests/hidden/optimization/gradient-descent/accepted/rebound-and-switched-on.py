"""x is rebound under no_grad, and asks for its gradient again."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x = x - lr * x.grad
        x.requires_grad = True
    return trajectory
