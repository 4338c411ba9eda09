"""On which pass does x move for the first time?

The update stands before backward(): the first pass does not move and the walk lags by one pass.
Seen: Guards such as `if x.grad is not None:` around an update placed too high.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        if x.grad is not None:
            x.data = x.data - lr * x.grad
            x.grad.zero_()
        y.backward()
    return trajectory
