"""What is x inside your loop?

The loop's variable is called x too.
Seen: `for x in range(iterations)`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for x in range(iterations):
        y = f(x)
        trajectory.append(y)
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
