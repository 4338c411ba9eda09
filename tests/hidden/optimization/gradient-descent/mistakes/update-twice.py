"""Compare the length of your first step with lr times the gradient.

The update runs twice on every pass.
Seen: A line pasted twice, or `x.data` and `x.sub_` both.
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
            x -= lr * x.grad
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
