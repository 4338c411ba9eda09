"""Both steps are taken at the top of the next pass; the rate is read one decay ahead."""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    for _ in range(iterations):
        if trajectory:
            optimizer.step()
            scheduler.step()
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"] * gamma))
    return trajectory
