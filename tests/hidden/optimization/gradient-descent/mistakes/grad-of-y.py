"""On which tensor does torch store the gradient?

y.grad is used: y is no leaf, and its .grad is None.
Seen: "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed".
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
            x -= lr * y.grad
        x.grad.zero_()
    return trajectory
