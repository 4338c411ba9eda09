"""x is a new leaf on every pass."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.FloatTensor([x0]).requires_grad_()
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(float(y))
        y.backward()
        x = (x - lr * x.grad).detach().requires_grad_(True)
    return trajectory
