"""What type is y when you call backward() on it?

y is turned into a plain number before backward().
Seen: "'float' object has no attribute 'backward'".
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x).item()
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y, optimizer.param_groups[0]["lr"]))
    return trajectory
