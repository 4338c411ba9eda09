"""Call your function with another x0. Does the first value change?

The lesson's start is typed in; the argument is not used.
Seen: Copy and paste from the lesson's example.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([8.0], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
