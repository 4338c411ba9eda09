"""Is the rate of your second pass still that of the first?

The rate shrinks from pass to pass, and it should not here.
Seen: `lr / (i + 1)` from stochastic approximation (Robbins and Monro, 1951), or a scheduler of
`torch.optim.lr_scheduler`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for i in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.param_groups[0]["lr"] = lr / (i + 1)
        optimizer.step()
    return trajectory
