"""Which of your lines should run once, and which on every pass?

x is made anew from x0 on every pass.
Seen: The tensor's creation moved into the loop to have `requires_grad` again.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    trajectory = []
    for _ in range(iterations):
        x = torch.tensor([float(x0)], requires_grad=True)
        optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
