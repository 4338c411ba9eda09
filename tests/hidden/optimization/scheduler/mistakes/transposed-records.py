"""Pairs were asked for. Which function makes pairs of two lists?

Two lists come back in place of a list of pairs.
Seen: `return values, rates`.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    values, rates = [], []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        values.append(y.item())
        rates.append(optimizer.param_groups[0]["lr"])
    return values, rates
