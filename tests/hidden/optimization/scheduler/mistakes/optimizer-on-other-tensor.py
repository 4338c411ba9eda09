"""Is the tensor in optimizer.param_groups[0]["params"] the x that you give to f? Try `is`.

The optimizer holds another tensor, and moves that one.
Seen: `x.data`, `x.clone()` or a new x made after the optimizer; `torch.optim.Optimizer` keeps references.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x.detach()], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
