"""Should the slope of the first pass still have a say on the tenth?

The mean of all gradients so far is used.
Seen: Sums of `.grad` divided by the number of passes, as batches are averaged.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    slopes = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        slopes.append(x.grad.clone())
        x.grad = sum(slopes) / len(slopes)
        optimizer.step()
    return trajectory
