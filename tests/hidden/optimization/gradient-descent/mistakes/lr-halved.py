"""Compare the size of your first step with lr times the gradient. What is their ratio?

The step is half as long as asked for.
Seen: The 1/2 of a mean squared error kept in the update.
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
            x -= lr / 2 * x.grad
        x.grad.zero_()
    return trajectory
