"""A helper makes one step and gives value and new point back."""

import torch


def gradient_descent(f, x0, lr, iterations):
    def one_step(point):
        x = torch.tensor([point], requires_grad=True)
        y = f(x)
        y.backward()
        return y.item(), (x - lr * x.grad).item()

    point, trajectory = float(x0), []
    for _ in range(iterations):
        value, point = one_step(point)
        trajectory.append(value)
    return trajectory
