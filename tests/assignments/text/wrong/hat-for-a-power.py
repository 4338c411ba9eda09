"""^ is no power in Python: it compares bits and wants whole numbers.

told: operator-turned:A^B *
"""

import torch


def scheduled_descent(f, start, lr, schedule, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    trajectory = []
    for t in range(passes):
        y = f(x)
        if schedule == "inverse":
            rate = lr / (1 + t)
        elif schedule == "sqrt":
            rate = lr / (1 + t) ^ 0.5
        else:
            rate = lr
        trajectory.append((y.item(), rate))
        y.backward()
        with torch.no_grad():
            x -= rate * x.grad
        x.grad.zero_()
    return trajectory
