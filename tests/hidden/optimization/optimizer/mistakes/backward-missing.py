"""Which line fills x.grad? Does it run?

backward() is left out, or written without its parentheses.
Seen: `loss.backward` as a bare name is no error in Python; the forum's "parameters do not change" threads.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        optimizer.step()
    return trajectory
