"""Which x went into the y of your second pass?

f is evaluated once, above the loop.
Seen: The forward pass pulled out of the loop; torch then asks for `retain_graph=True`.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    y = f(x)
    trajectory = []
    for _ in range(iterations):
        trajectory.append(y.item())
        y.backward(retain_graph=True)
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
