"""The error says what params should be. What did you give?

The optimizer is given a tensor in place of a list of tensors.
Seen: "params argument given to the optimizer should be an iterable of Tensors or dicts".
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD(x, lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
