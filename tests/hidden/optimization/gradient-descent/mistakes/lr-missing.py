"""Which symbol of the rule has no counterpart in your line?

The step is not multiplied by lr.
Seen: `x -= x.grad`.
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
            x -= x.grad
        x.grad.zero_()
    return trajectory
