"""max(t, 1) avoids the division by zero, but the second pass has the first rate once more.

told: nothing
"""

import math

import torch


def scheduled_descent(f, start, lr, schedule, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    trajectory = []
    for t in range(passes):
        y = f(x)
        n = max(t, 1)
        if schedule == "inverse":
            rate = lr / n
        elif schedule == "sqrt":
            rate = lr / math.sqrt(n)
        else:
            rate = lr
        trajectory.append((y.item(), rate))
        y.backward()
        with torch.no_grad():
            x -= rate * x.grad
        x.grad.zero_()
    return trajectory
