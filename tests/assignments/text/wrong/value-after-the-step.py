"""The value is calculated anew after the step and recorded then.

told: recorded-after | recorded late:0
"""

import torch


def scheduled_descent(f, start, lr, schedule, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    trajectory = []
    for t in range(passes):
        f(x).backward()
        if schedule == "constant":
            rate = lr
        elif schedule == "inverse":
            rate = lr / (1 + t)
        else:
            rate = lr / (1 + t) ** 0.5
        with torch.no_grad():
            x -= rate * x.grad
        x.grad.zero_()
        trajectory.append((f(x).item(), rate))
    return trajectory
