"""Momentum is a memory. Where is it kept, and how long does it live?

No momentum acts: it is not handed over, or its buffer is lost on every pass.
Seen: An optimizer built inside the loop loses `state["momentum_buffer"]` of `torch.optim.SGD`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
