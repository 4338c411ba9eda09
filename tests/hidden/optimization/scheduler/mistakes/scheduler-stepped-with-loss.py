"""Print the learning rate. What became of it after one pass?

scheduler.step(loss) takes the loss for the number of an epoch.
Seen: `torch.optim.lr_scheduler.ReduceLROnPlateau` wants the loss; ExponentialLR does not.
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
        scheduler.step(y.item())
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
