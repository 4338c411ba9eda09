"""How many numbers does the thing hold whose backward() you call?

backward() without an argument wants one number.
Seen: "grad can be implicitly created only for scalar outputs".
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0), float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.tolist())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
