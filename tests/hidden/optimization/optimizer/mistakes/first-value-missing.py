"""Your list should begin with f(x0). What does it begin with, and how long is it?

f(x0) is not recorded.
Seen: `if i > 0:` around the append, or a list cut by `[1:]`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory[1:]
