"""How many digits of each number did you keep?

Rounded numbers are recorded.
Seen: `round(y.item(), 3)` kept from the printed table.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(round(y.item(), 2))
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
