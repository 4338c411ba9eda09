"""A new SGD on every pass: without momentum there is nothing to forget."""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    rate = lr
    trajectory = []
    for _ in range(iterations):
        optimizer = torch.optim.SGD([x], lr=rate)
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        rate *= gamma
        trajectory.append((y.item(), rate))
    return trajectory
