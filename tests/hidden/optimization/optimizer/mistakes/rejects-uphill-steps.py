"""What does plain gradient descent do when a step leads uphill?

A step is taken only when f becomes smaller.
Seen: Hill climbing and line searches, mixed into the rule.
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
        y.backward()
        before = x.detach().clone()
        optimizer.step()
        if f(x) > y:
            x.data = before
    return trajectory
