"""Which line produces what step() needs, and which comes first?

step() runs on cleared gradients, before backward() has filled them.
Seen: The order of the loop's lines; see "Optimization step" in the notes of `torch.optim`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        optimizer.step()
        y.backward()
    return trajectory
