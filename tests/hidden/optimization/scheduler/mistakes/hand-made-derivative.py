"""Give your function another f. Does the walk follow it?

The derivative of the lesson's objective is typed in; f is only looked at.
Seen: Course notes that begin with the derivative on paper; nothing of `torch.autograd` is used.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)])
    rate = lr
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        slope = 5.0 if x > 0 else -5.0
        x = x - rate * slope
        rate = gamma * rate
        trajectory.append((y.item(), rate))
    return trajectory
