"""Is the tensor in optimizer.param_groups[0]["params"] the x that you give to f? Try `is`.

The optimizer holds another tensor, and moves that one.
Seen: `x.data`, `x.clone()` or a new x made after the optimizer; `torch.optim.Optimizer` keeps references.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x.clone().detach().requires_grad_()], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
