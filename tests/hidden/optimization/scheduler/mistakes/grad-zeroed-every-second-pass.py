"""How often does the line run that clears the gradient, and how often does backward()?

The gradient is cleared on some passes only; on the others two gradients add up.
Seen: Gradient-accumulation recipes (`if (i + 1) % n == 0`) copied without need, built on
`torch.optim.Optimizer.zero_grad`.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    for i in range(iterations):
        if i % 2 == 0:
            optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
