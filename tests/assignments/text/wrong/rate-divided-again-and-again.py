"""lr itself is divided in every pass, so the divisions add up.

told: kept-in-argument:lr *
"""

import torch


def scheduled_descent(f, start, lr, schedule, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    trajectory = []
    for t in range(passes):
        y = f(x)
        if schedule == "inverse":
            lr = lr / (1 + t)
        elif schedule == "sqrt":
            lr = lr / (1 + t) ** 0.5
        trajectory.append((y.item(), lr))
        y.backward()
        x.data -= lr * x.grad
        x.grad.zero_()
    return trajectory
