"""What is x.grad before anything has been differentiated?

x.grad.zero_() runs while x.grad is None.
Seen: "'NoneType' object has no attribute 'zero_'".
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        x.grad.zero_()
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
    return trajectory
