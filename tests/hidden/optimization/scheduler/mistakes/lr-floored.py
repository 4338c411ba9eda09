"""Is there anything that stops your rate from shrinking?

The rate is kept above a bound.
Seen: `max(rate, smallest)`, as `min_lr` of `torch.optim.lr_scheduler.ReduceLROnPlateau`.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    rate = lr
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        rate = max(rate * gamma, lr / 2)
        optimizer.param_groups[0]["lr"] = rate
        trajectory.append((y.item(), rate))
    return trajectory
