"""Between the line that computes y and the line that differentiates it, what happened to x?

step() changes x in place while the graph still needs its old value.
Seen: "one of the variables needed for gradient computation has been modified by an inplace operation".
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.step()
        optimizer.zero_grad()
        y.backward()
    return trajectory
