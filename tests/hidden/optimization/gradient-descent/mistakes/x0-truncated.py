"""Call your function with x0 = 2.5. What is its first value?

x0 is cut to a whole number.
Seen: `int(x0)` or an integer dtype on the way to the tensor.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(int(x0))], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
