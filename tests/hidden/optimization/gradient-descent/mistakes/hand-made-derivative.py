"""Give your function another f. Does the walk follow it?

The derivative of the lesson's objective is typed in; f is only looked at.
Seen: Course notes that begin with the derivative on paper; nothing of `torch.autograd` is used.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = float(x0)
    trajectory = []
    for _ in range(iterations):
        y = f(torch.tensor([x]))
        trajectory.append(y.item())
        x = x - lr * 2 * x
    return trajectory
