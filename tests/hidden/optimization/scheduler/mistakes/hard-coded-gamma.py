"""Call your function with another gamma. Does the answer change?

The lesson's gamma is typed in; the argument is not used.
Seen: Copy and paste from the lesson's example.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.8)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
