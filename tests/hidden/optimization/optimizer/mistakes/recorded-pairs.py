"""How many numbers per pass were asked for?

Pairs are recorded where one number was asked for.
Seen: `append((x.item(), y.item()))` from plotting code.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append((x.item(), y.item()))
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
