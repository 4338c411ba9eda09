"""Your list should begin with f(x0). What does it begin with?

f is recorded after the update: f(x_{t+1}) in place of f(x_t).
Seen: The append line below the update, with f(x) evaluated anew.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
        trajectory.append(f(x).item())
    return trajectory
