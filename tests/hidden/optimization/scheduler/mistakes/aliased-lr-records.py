"""Print your list after two passes. How many different objects hold its rates?

The list holds one object for the rate n times: in the end all entries show the last rate.
Seen: `append(optimizer.param_groups[0])`, or a tensor as lr, which schedulers change in place.
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
        trajectory.append((y.item(), optimizer.param_groups[0]))
    return [(value, group["lr"]) for value, group in trajectory]
