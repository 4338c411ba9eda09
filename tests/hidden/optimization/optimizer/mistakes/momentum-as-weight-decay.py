"""Which argument of the optimizer did your momentum go to?

momentum is handed over as weight_decay.
Seen: The signature of `torch.optim.SGD(params, lr, momentum, dampening, weight_decay)`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, weight_decay=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
