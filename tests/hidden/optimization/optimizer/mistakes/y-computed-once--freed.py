"""Which x went into the y of your second pass?

f is evaluated once, above the loop.
Seen: The forward pass pulled out of the loop; torch then asks for `retain_graph=True`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    y = f(x)
    for _ in range(iterations):
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
