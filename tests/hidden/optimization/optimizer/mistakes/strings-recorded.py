"""What type has one entry of your list?

Text is recorded in place of numbers.
Seen: An f-string kept from the printed table.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append("%.3f" % y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
