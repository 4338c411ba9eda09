"""Compare your first value with f(x0).

x starts somewhere else than at x0.
Seen: A start chosen by hand, at random or shifted.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([1.0], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
