"""Print your list after two passes. How many different tensors are in it?

The list holds the same memory n times: in the end all entries show the last point.
Seen: `append(x)`, `append(x.data)` and `append(x.detach().numpy())` share memory with x, which is updated in place.
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((x, optimizer.param_groups[0]["lr"]))
    return [(f(x).item(), rate) for x, rate in trajectory]
