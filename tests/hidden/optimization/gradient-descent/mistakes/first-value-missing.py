"""Your list should begin with f(x0). What does it begin with, and how long is it?

f(x0) is not recorded.
Seen: `if i > 0:` around the append, or a list cut by `[1:]`.
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
        x.grad.zero_()
    return trajectory[1:]
