"""Count your values, and count your passes.

The start and all points after it are recorded: one value too many.
Seen: A list that begins with the start before the loop, as in `scipy` callbacks and plotting code.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = [f(x).item()]
    for _ in range(iterations):
        y = f(x)
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
        trajectory.append(f(x).item())
    return trajectory
