"""The rule with its velocity, written by hand."""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    velocity = torch.zeros(1)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        velocity = momentum * velocity + x.grad
        with torch.no_grad():
            x -= lr * velocity
        x.grad = None
    return trajectory
