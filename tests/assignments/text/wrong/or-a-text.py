"""`schedule == "inverse" or "sqrt"` is always true, so "constant" shrinks as well.

told: always *
"""

import torch


def scheduled_descent(f, start, lr, schedule, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    trajectory = []
    for t in range(passes):
        y = f(x)
        if schedule == "inverse" or "sqrt":
            rate = lr / (t + 1) if schedule == "inverse" else lr / (t + 1) ** 0.5
        else:
            rate = lr
        trajectory.append((y.item(), rate))
        y.backward()
        with torch.no_grad():
            x.sub_(rate * x.grad)
        x.grad = None
    return trajectory
