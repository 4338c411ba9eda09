"""How does one add a single element to a list?

A number is added to a list with +=.
Seen: "'float' object is not iterable".
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory += y.item()
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
