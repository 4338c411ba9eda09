"""Is anything besides f pulling x towards zero?

A weight decay is switched on.
Seen: `weight_decay=...` of `torch.optim.SGD`, copied from a network's training.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum, weight_decay=0.1)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
