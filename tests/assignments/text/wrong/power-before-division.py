"""(1 + t) ** 1 / 2 is half of 1 + t, and no root.

told: operator-turned:A*B *
"""

import torch


def scheduled_descent(f, start, lr, schedule, passes):
    x = torch.tensor([float(start)], requires_grad=True)
    result = []
    for t in range(passes):
        y = f(x)
        rate = lr
        if schedule == "inverse":
            rate = lr / (1 + t)
        if schedule == "sqrt":
            rate = lr / ((1 + t) ** 1 / 2)
        result.append((y.item(), rate))
        y.backward()
        with torch.no_grad():
            x -= rate * x.grad
        x.grad.zero_()
    return result
