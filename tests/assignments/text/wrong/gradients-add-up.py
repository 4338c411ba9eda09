"""The gradient is never cleared.

told: grad-not-zeroed
"""

import torch


def rate_of(schedule, lr, t):
    if schedule == "inverse":
        return lr / (1 + t)
    if schedule == "sqrt":
        return lr / (1 + t) ** 0.5
    return lr


def scheduled_descent(f, start, lr, schedule, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    trajectory = []
    for t in range(passes):
        y = f(x)
        y.backward()
        rate = rate_of(schedule, lr, t)
        trajectory.append((y.item(), rate))
        with torch.no_grad():
            x -= rate * x.grad
    return trajectory
