"""What is f on the second pass?

f is overwritten by its own value.
Seen: `f = f(x)`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        f = f(x)
        trajectory.append(f.item())
        optimizer.zero_grad()
        f.backward()
        optimizer.step()
    return trajectory
