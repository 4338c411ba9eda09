"""Is momentum the part that is kept, or the part that is forgotten?

1 - momentum is handed over.
Seen: The other convention for moving averages, as in `momentum` of `torch.nn.BatchNorm1d`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=1 - momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
