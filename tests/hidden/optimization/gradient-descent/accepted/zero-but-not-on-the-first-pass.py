"""The gradient is cleared at the top of all passes but the first."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for number in range(iterations):
        if number > 0:
            x.grad.zero_()
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
    return trajectory
