"""Print x.requires_grad.

x is made without requires_grad, so that torch records nothing.
Seen: "element 0 of tensors does not require grad and does not have a grad_fn", on the first pass.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)])
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
