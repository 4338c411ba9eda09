"""Does the slope stay the same while you walk?

backward() ran once, at the start, and its result is used for ever.
Seen: The forward and backward lines pulled out of the loop "because they do not change".
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    f(x).backward()
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.step()
    return trajectory
