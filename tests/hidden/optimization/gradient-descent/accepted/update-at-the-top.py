"""The step is taken at the top of the next pass."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for number in range(iterations):
        if number:
            x.data = x - lr * x.grad
            x.grad.zero_()
        y = f(x)
        trajectory.append(y.item())
        y.backward()
    return trajectory
