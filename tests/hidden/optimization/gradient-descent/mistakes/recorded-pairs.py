"""How many numbers per pass were asked for?

Pairs are recorded where one number was asked for.
Seen: `append((x.item(), y.item()))` from plotting code.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for i in range(iterations):
        y = f(x)
        trajectory.append((i, y.item()))
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
