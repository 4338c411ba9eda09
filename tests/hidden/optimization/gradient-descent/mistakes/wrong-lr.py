"""Compare every constant in your cell with the arguments of your function.

A learning rate is used that is not the argument.
Seen: A number typed in, or a name from another cell.
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
            x -= 0.05 * x.grad
        x.grad.zero_()
    return trajectory
