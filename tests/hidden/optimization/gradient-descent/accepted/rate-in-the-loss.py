"""The rate scales the loss: the same step, its factors in another order."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        (lr * y).backward()
        with torch.no_grad():
            x -= x.grad
        x.grad.zero_()
    return trajectory
