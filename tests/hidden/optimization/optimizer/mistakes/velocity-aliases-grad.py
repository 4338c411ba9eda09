"""Print your velocity before and after you clear the gradient.

The velocity is the very tensor x.grad, and is cleared with it.
Seen: `v = x.grad` keeps a reference; `x.grad.clone()` does not.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    velocity = None
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        if velocity is None:
            velocity = x.grad
        else:
            velocity.mul_(momentum).add_(x.grad)
        with torch.no_grad():
            x -= lr * velocity
        x.grad.zero_()
    return trajectory
