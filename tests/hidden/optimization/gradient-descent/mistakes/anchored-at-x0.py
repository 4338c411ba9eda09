"""From which point does your third step start?

Every step starts at x0 again.
Seen: `x = x0 - lr * grad`, the formula copied with its subscript.
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
            x.copy_(x0 - lr * x.grad)
        x.grad.zero_()
    return trajectory
