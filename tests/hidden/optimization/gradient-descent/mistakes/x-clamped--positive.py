"""May x go wherever the rule takes it?

x is kept inside bounds.
Seen: `torch.clamp` after the update, as for pixel values or probabilities.
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
            x -= lr * x.grad
            x.clamp_(min=0.0)
        x.grad.zero_()
    return trajectory
