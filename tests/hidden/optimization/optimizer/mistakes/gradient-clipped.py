"""Compare your first step with lr times the gradient. Which of the two is shorter?

The gradient is cut to a largest length before the update.
Seen: `torch.nn.utils.clip_grad_norm_` and `clip_grad_value_`, copied from training loops of recurrent networks.
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
        torch.nn.utils.clip_grad_norm_([x], 1.0)
        optimizer.step()
    return trajectory
