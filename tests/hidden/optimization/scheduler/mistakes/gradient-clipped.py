"""Compare your first step with lr times the gradient. Which of the two is shorter?

The gradient is cut to a largest length before the update.
Seen: `torch.nn.utils.clip_grad_norm_` and `clip_grad_value_`, copied from training loops of recurrent networks.
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
        torch.nn.utils.clip_grad_norm_([x], 1.0)
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
