"""The rates are those of the next pass: 1 + t is counted from 1.

told: count-from-one | counter-changed:one-more * | constant-changed:one-more *
"""

import torch


def scheduled_descent(f, start, lr, schedule, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    trajectory = []
    for t in range(1, passes + 1):
        y = f(x)
        if schedule == "inverse":
            rate = lr / (1 + t)
        elif schedule == "sqrt":
            rate = lr / (1 + t) ** 0.5
        else:
            rate = lr
        trajectory.append((y.item(), rate))
        y.backward()
        with torch.no_grad():
            x -= rate * x.grad
        x.grad.zero_()
    return trajectory
