"""What does your loss look like where f is negative?

The absolute value of f(x) is minimised: right only as long as f stays positive.
Seen: `torch.nn.L1Loss` against a target of zeros.
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
        torch.nn.L1Loss()(y, torch.zeros(1)).backward()
        optimizer.step()
    return trajectory
