"""How many numbers does the thing hold whose backward() you call?

backward() without an argument wants one number.
Seen: "grad can be implicitly created only for scalar outputs".
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0), float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.tolist())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
