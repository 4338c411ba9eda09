"""For "inverse" the rate is halved in every pass, and not divided by 1 + t.

told: nothing
"""

import torch


def scheduled_descent(f, start, lr, schedule, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    trajectory = []
    for t in range(passes):
        y = f(x)
        if schedule == "inverse":
            rate = lr * 0.5**t
        elif schedule == "sqrt":
            rate = lr / (t + 1) ** 0.5
        else:
            rate = lr
        trajectory.append((y.item(), rate))
        y.backward()
        with torch.no_grad():
            x -= rate * x.grad
        x.grad.zero_()
    return trajectory
