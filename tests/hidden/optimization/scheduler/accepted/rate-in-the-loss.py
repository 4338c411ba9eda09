"""SGD with rate 1 on the rate times f; the rate is computed."""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=1.0)
    trajectory = []
    for t in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        (lr * gamma**t * y).backward()
        optimizer.step()
        trajectory.append((y.item(), lr * gamma ** (t + 1)))
    return trajectory
