"""The rate stands inside the velocity: the same while it is constant."""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    velocity = torch.zeros(1)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            velocity = momentum * velocity - lr * x.grad
            x += velocity
            x.grad.zero_()
    return trajectory
