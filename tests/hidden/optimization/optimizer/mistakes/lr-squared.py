"""Compare the size of your first step with lr times the gradient. What is their ratio?

lr is multiplied in twice.
Seen: lr inside the loss or the velocity and once more in the update.
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
        (lr * y).backward()
        optimizer.step()
    return trajectory
