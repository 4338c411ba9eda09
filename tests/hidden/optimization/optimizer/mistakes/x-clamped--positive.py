"""May x go wherever the rule takes it?

x is kept inside bounds.
Seen: `torch.clamp` after the update, as for pixel values or probabilities.
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
        optimizer.step()
        x.data.clamp_(min=0.0)
    return trajectory
