"""lr / 1 + t: the parentheses are missing, and the rate grows by 1 in every pass.

told: parentheses-lost *
"""

import torch


def scheduled_descent(f, start, lr, schedule, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    trajectory = []
    for t in range(passes):
        y = f(x)
        if schedule == "constant":
            rate = lr
        elif schedule == "inverse":
            rate = lr / 1 + t
        else:
            rate = lr / (1 + t) ** 0.5
        trajectory.append((y.item(), rate))
        y.backward()
        with torch.no_grad():
            x -= rate * x.grad
        x.grad.zero_()
    return trajectory
