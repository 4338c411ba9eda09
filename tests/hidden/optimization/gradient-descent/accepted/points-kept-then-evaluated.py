"""The points are kept as copies, and f is looked at again in the end."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    points = []
    for _ in range(iterations):
        points.append(x.detach().clone())
        f(x).backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return [f(point).item() for point in points]
