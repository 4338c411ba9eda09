"""SGD with rate 1 on lr times f."""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=1.0, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        trajectory.append(y.item())
        (lr * y).backward()
        optimizer.step()
    return trajectory
