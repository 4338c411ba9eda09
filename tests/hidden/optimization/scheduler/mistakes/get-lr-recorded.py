"""Print optimizer.param_groups[0]["lr"] beside the rate that you record.

scheduler.get_lr() is recorded: one decay too many.
Seen: `torch.optim.lr_scheduler.LRScheduler.get_lr` computes the next rate; torch warns to use get_last_lr().
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
        trajectory.append((y.item(), scheduler.get_lr()[0]))
    return trajectory
