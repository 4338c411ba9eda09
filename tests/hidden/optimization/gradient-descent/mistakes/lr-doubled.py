"""Compare the size of your first step with lr times the gradient. What is their ratio?

The step is twice as long as asked for.
Seen: A factor 2 kept from the derivative of a square.
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
            x -= 2 * lr * x.grad
        x.grad.zero_()
    return trajectory
