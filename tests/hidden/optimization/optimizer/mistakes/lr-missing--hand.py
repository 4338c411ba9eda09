"""Which symbol of the rule has no counterpart in your line?

The step is not multiplied by lr.
Seen: `x -= x.grad`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    velocity = torch.zeros(1)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        velocity = momentum * velocity + x.grad
        with torch.no_grad():
            x -= velocity
        x.grad.zero_()
    return trajectory
