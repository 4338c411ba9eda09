"""Call your function with another momentum. Does the answer change?

The lesson's momentum is typed in; the argument is not used.
Seen: `momentum=0.9`, the value of nearly every tutorial of `torch.optim.SGD`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=0.9)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
