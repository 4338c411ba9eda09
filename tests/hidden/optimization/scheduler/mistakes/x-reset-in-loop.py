"""Which of your lines should run once, and which on every pass?

x is made anew from x0 on every pass.
Seen: The tensor's creation moved into the loop to have `requires_grad` again.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    trajectory = []
    for _ in range(iterations):
        x = torch.tensor([float(x0)], requires_grad=True)
        optimizer = torch.optim.SGD([x], lr=lr)
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
