"""Two ifs and one else: for "inverse" the second if fails, and its else sets the rate back.

told: elif-begins-anew *
"""

import torch


def scheduled_descent(f, start, lr, schedule, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    trajectory = []
    for t in range(passes):
        y = f(x)
        if schedule == "inverse":
            rate = lr / (1 + t)
        if schedule == "sqrt":
            rate = lr / (1 + t) ** 0.5
        else:
            rate = lr
        trajectory.append((y.item(), rate))
        y.backward()
        with torch.no_grad():
            x -= rate * x.grad
        x.grad.zero_()
    return trajectory
