"""Which learning rate does the optimizer use? Print optimizer.param_groups beside your own number.

A variable shrinks and is recorded, and the optimizer goes on with the old rate.
Seen: `lr *= gamma` beside `torch.optim.SGD(lr=lr)`, which has copied the number.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    rate = lr
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        rate = gamma * rate
        trajectory.append((y.item(), rate))
    return trajectory
