"""Should a smaller lr make your steps smaller or larger?

The gradient is divided by lr.
Seen: A slash for an asterisk.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= x.grad / lr
        x.grad.zero_()
    return trajectory
