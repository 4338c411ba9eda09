"""What "inverse" should do is done for "sqrt", and the other way round.

told: constants-swapped *
"""

import torch


def scheduled_descent(f, start, lr, schedule, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    trajectory = []
    for t in range(passes):
        y = f(x)
        if schedule == "sqrt":
            rate = lr / (1 + t)
        elif schedule == "inverse":
            rate = lr / (1 + t) ** 0.5
        else:
            rate = lr
        trajectory.append((y.item(), rate))
        y.backward()
        with torch.no_grad():
            x -= rate * x.grad
        x.grad.zero_()
    return trajectory
