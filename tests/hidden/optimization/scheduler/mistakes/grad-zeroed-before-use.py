"""Print x.grad on the very line that uses it. What does it hold there?

The gradient is cleared between backward() and the update: every step has length 0.
Seen: `torch.optim.Optimizer.zero_grad`; training loops in the forum with `loss.backward(); optimizer.zero_grad();
optimizer.step()`.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        y.backward()
        optimizer.zero_grad()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
