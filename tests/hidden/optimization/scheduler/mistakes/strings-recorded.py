"""What type has one entry of your list?

Text is recorded in place of numbers.
Seen: An f-string kept from the printed table.
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
        trajectory.append(f"{y.item():.3f} {optimizer.param_groups[0]['lr']:.5f}")
    return trajectory
