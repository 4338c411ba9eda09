"""Print x.requires_grad.

x is made without requires_grad, so that torch records nothing.
Seen: "element 0 of tensors does not require grad and does not have a grad_fn", on the first pass.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)])
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
