"""x.data changes in place; the record is taken from it before."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    points, values = [], []
    for _ in range(iterations):
        y = f(x)
        y.backward()
        points.append(x.item())
        values.append(y.item())
        x.data.sub_(lr * x.grad)
        x.grad.zero_()
    return values
