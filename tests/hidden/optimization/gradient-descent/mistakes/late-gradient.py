"""At which x was the gradient taken that moves x on the third pass?

Each step uses the gradient of the pass before, taken at the point before.
Seen: A saved copy of `x.grad` used one pass too late; asynchronous-SGD staleness written by accident.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    slope = 0.0
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * slope
        slope = x.grad.clone()
        x.grad.zero_()
    return trajectory
