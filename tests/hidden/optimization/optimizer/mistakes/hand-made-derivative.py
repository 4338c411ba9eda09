"""Give your function another f. Does the walk follow it?

The derivative of the lesson's objective is typed in; f is only looked at.
Seen: Course notes that begin with the derivative on paper; nothing of `torch.autograd` is used.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)])
    velocity = torch.zeros(1)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        velocity = momentum * velocity + 2 * x
        x = x - lr * velocity
    return trajectory
