"""What does plain gradient descent do when a step leads uphill?

A step is taken only when f becomes smaller.
Seen: Hill climbing and line searches, mixed into the rule.
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
        before = x.detach().clone()
        optimizer.step()
        if f(x) > y:
            x.data = before
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
