"""The error says what kind of tensor you made. Where was it made?

x is made in inference_mode, and such tensors can never be trained.
Seen: `torch.inference_mode` used like `torch.no_grad`.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    with torch.inference_mode():
        x = torch.tensor([float(x0)])
    x.requires_grad_()
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
