"""What does your loss look like where f is negative?

The absolute value of f(x) is minimised: right only as long as f stays positive.
Seen: `torch.nn.L1Loss` against a target of zeros.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        loss = torch.nn.functional.l1_loss(y, torch.zeros_like(y))
        loss.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
