"""Call your function with another lr. Does the answer change?

The lesson's learning rate is typed in; the argument is not used.
Seen: Copy and paste from the lesson's example.
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
            x -= 0.1 * x.grad
        x.grad.zero_()
    return trajectory
