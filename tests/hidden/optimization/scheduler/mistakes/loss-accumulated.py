"""Through which old graphs does your backward() walk again?

The values of all passes are summed, and the sum is differentiated on every pass.
Seen: `total_loss += loss` without detach, the forum's classic for growing memory and for `retain_graph=True`.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    total = 0.0
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        total = total + y
        total.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
