"""Through which old graphs does your backward() walk again?

The values of all passes are summed, and the sum is differentiated on every pass.
Seen: `total_loss += loss` without detach, the forum's classic for growing memory and for `retain_graph=True`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory, losses = [], []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        losses.append(y)
        sum(losses).backward(retain_graph=True)
        optimizer.step()
    return trajectory
