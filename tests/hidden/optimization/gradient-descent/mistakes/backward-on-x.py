"""Of which quantity do you want the derivative?

x.backward() asks for the derivative of x by x, which is 1.
Seen: `torch.Tensor.backward` on the leaf itself.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        x.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
