"""Is the rate of your second pass still that of the first?

The rate shrinks from pass to pass, and it should not here.
Seen: `lr / (i + 1)` from stochastic approximation (Robbins and Monro, 1951), or a scheduler of
`torch.optim.lr_scheduler`.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for i in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr / (i + 1) * x.grad
        x.grad.zero_()
    return trajectory
