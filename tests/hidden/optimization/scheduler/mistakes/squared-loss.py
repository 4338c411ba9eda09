"""Of which quantity do you take the gradient: of f(x), or of something made from it?

A mean squared error between f(x) and 0 is minimised: f(x)² instead of f(x).
Seen: `torch.nn.MSELoss`, a habit from regression.
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
        loss = torch.nn.functional.mse_loss(y, torch.zeros_like(y))
        loss.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
