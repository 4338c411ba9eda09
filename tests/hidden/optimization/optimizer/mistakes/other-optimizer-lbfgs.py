"""How often is f called on each of your passes?

L-BFGS is used.
Seen: `torch.optim.LBFGS` with its closure.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.LBFGS([x], lr=lr)

    def closure():
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        return y

    trajectory = []
    for _ in range(iterations):
        trajectory.append(optimizer.step(closure).item())
    return trajectory
