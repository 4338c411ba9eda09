"""How do you make one thing of two?

append is given two arguments.
Seen: "append() takes exactly one argument (2 given)".
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(x.item(), y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
