"""Which optimizer did the task ask for?

RMSprop is used.
Seen: `torch.optim.RMSprop`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.RMSprop([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
