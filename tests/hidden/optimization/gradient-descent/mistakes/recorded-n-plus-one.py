"""Count your values, and count your passes.

The start and all points after it are recorded: one value too many.
Seen: A list that begins with the start before the loop, as in `scipy` callbacks and plotting code.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = [f(x).item()]
    for _ in range(iterations):
        y = f(x)
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
        trajectory.append(f(x).item())
    return trajectory
