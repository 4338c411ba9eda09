"""What is x.grad on the very first pass, on the line that uses it?

The update uses x.grad before the first backward().
Seen: The order of the loop's lines; `.grad` of a new leaf is None.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
        y.backward()
    return trajectory
