"""Which quantity says how steep f is at x, and which one stands in your update?

The step is lr times f(x) instead of lr times the slope.
Seen: `x - lr * y` or `x - lr * loss`, a beginner's reading of "use the loss to update".
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
            x -= lr * y
        x.grad.zero_()
    return trajectory
