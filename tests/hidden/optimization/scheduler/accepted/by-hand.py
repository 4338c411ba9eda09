"""No optimizer at all."""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    rate = lr
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        y.backward()
        with torch.no_grad():
            x -= rate * x.grad
        x.grad = None
        rate = rate * gamma
        trajectory.append([y.item(), rate])
    return trajectory
