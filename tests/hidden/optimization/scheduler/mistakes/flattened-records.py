"""How long is your list? What does one append add to it?

One flat list of 2n numbers comes back.
Seen: `list += [y, lr]` or two appends per pass.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append(y.item())
        trajectory.append(optimizer.param_groups[0]["lr"])
    return trajectory
