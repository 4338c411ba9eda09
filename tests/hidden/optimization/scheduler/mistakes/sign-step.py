"""Do your steps become shorter where the slope becomes flatter?

Only the sign of the gradient is used: every step has length lr.
Seen: signSGD and `torch.optim.Rprop`, or a normalised gradient `g / abs(g)`, carried over from another course.
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
        x.grad = x.grad / x.grad.abs()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
