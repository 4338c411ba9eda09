"""How many digits of each number did you keep?

Rounded numbers are recorded.
Seen: `round(y.item(), 3)` kept from the printed table.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(round(y.item(), 2))
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
