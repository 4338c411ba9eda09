"""This optimizer evaluates f several times per step. What must you hand to step()?

LBFGS is stepped without a closure.
Seen: `torch.optim.LBFGS.step(closure)`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.LBFGS([x], lr=lr)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
