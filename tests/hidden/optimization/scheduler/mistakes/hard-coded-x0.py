"""Call your function with another x0. Does the first value change?

The lesson's start is typed in; the argument is not used.
Seen: Copy and paste from the lesson's example.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([8.0], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
