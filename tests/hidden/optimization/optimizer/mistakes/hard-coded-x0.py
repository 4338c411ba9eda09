"""Call your function with another x0. Does the first value change?

The lesson's start is typed in; the argument is not used.
Seen: Copy and paste from the lesson's example.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([8.0], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
