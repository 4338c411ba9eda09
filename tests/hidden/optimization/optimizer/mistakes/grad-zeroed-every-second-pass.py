"""How often does the line run that clears the gradient, and how often does backward()?

The gradient is cleared on some passes only; on the others two gradients add up.
Seen: Gradient-accumulation recipes (`if (i + 1) % n == 0`) copied without need, built on
`torch.optim.Optimizer.zero_grad`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for i in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        if i % 2 == 0:
            optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
