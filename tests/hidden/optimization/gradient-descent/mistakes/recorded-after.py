"""Your list should begin with f(x0). What does it begin with?

f is recorded after the update: f(x_{t+1}) in place of f(x_t).
Seen: The append line below the update, with f(x) evaluated anew.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
        trajectory.append(f(x).item())
    return trajectory
