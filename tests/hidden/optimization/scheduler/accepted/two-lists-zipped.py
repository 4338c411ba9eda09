"""Values and rates are kept apart and zipped in the end."""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    values, rates = [], []
    for _ in range(iterations):
        y = f(x)
        values.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
        scheduler.step()
        rates.append(scheduler.get_last_lr()[0])
    return list(zip(values, rates))
