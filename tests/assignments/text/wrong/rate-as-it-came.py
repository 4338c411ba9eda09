"""The walk is right, but lr is recorded and not the rate of the pass.

told: recorded:argument:lr record | replaced-by:argument:lr record | recorded argument:lr
"""

import torch


def scheduled_descent(f, start, lr, schedule, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    trajectory = []
    for t in range(passes):
        y = f(x)
        y.backward()
        if schedule == "inverse":
            step_size = lr / (1 + t)
        elif schedule == "sqrt":
            step_size = lr / (1 + t) ** 0.5
        else:
            step_size = lr
        trajectory.append((y.item(), lr))
        with torch.no_grad():
            x -= step_size * x.grad
        x.grad.zero_()
    return trajectory
