"""What type is y when you call backward() on it?

y is turned into a plain number before backward().
Seen: "'float' object has no attribute 'backward'".
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x).item()
        trajectory.append(y)
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
