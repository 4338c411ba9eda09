"""What type has the thing that your function gives back?

A generator comes back.
Seen: `yield` in place of append.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    for _ in range(iterations):
        y = f(x)
        yield y.item()
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
