"""What does backward() give back, and where does it leave the gradient?

The result of y.backward(), which is None, is used as the gradient.
Seen: `torch.Tensor.backward` returns None; `torch.autograd.grad` returns gradients.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        slope = y.backward()
        with torch.no_grad():
            x -= lr * slope
        x.grad.zero_()
    return trajectory
