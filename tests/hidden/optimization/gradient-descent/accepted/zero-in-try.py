"""The first clearing fails and is forgiven."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        try:
            x.grad.zero_()
        except AttributeError:
            pass
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
    return trajectory
