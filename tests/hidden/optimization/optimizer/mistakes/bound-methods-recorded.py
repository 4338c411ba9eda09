"""Print one entry of your list. Is it a number?

A method is recorded in place of its result.
Seen: `y.item` without parentheses.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item)
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
