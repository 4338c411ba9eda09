"""Does the slope stay the same while you walk?

backward() ran once, at the start, and its result is used for ever.
Seen: The forward and backward lines pulled out of the loop "because they do not change".
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    f(x).backward()
    for _ in range(iterations):
        y = f(x)
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
