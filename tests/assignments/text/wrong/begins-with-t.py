"""t begins at 0, so there is a division by zero in the first pass.

told: left-operand-lost * | constant-changed:zero * | constant-changed:one-less * | counter-changed:one-less *
"""

import math

import torch


def scheduled_descent(f, start, lr, schedule, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    trajectory = []
    for t in range(passes):
        y = f(x)
        if schedule == "inverse":
            rate = lr / t
        elif schedule == "sqrt":
            rate = lr / math.sqrt(t)
        else:
            rate = lr
        trajectory.append((y.item(), rate))
        y.backward()
        with torch.no_grad():
            x -= rate * x.grad
        x.grad.zero_()
    return trajectory
