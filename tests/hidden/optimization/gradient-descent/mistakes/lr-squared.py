"""Compare the size of your first step with lr times the gradient. What is their ratio?

lr is multiplied in twice.
Seen: lr inside the loss or the velocity and once more in the update.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        (lr * y).backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
