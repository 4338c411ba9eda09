"""Your first step is right and the second is not. What part of the new gradient enters the memory?

New gradients enter the velocity with a factor 1 - dampening.
Seen: The fourth positional argument of `torch.optim.SGD`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum, dampening=0.5)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
