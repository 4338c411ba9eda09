"""Should a longer run take shorter steps?

lr is divided by the number of passes.
Seen: Averages over a data set, written where there is none.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr / iterations, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
