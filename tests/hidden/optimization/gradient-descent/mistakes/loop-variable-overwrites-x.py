"""What is x inside your loop?

The loop's variable is called x too.
Seen: `for x in range(iterations)`.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for x in range(iterations):
        y = f(x)
        trajectory.append(y)
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
