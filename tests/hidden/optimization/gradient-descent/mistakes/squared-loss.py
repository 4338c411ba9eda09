"""Of which quantity do you take the gradient: of f(x), or of something made from it?

A mean squared error between f(x) and 0 is minimised: f(x)² instead of f(x).
Seen: `torch.nn.MSELoss`, a habit from regression.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        loss = torch.nn.functional.mse_loss(y, torch.zeros_like(y))
        loss.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
