"""Print torch.is_grad_enabled() after your first pass.

Gradients are switched off and never on again.
Seen: `torch.set_grad_enabled(False)`.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        torch.set_grad_enabled(False)
        x -= lr * x.grad
        x.grad.zero_()
    return trajectory
