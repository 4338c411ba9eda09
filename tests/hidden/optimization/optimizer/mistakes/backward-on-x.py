"""Of which quantity do you want the derivative?

x.backward() asks for the derivative of x by x, which is 1.
Seen: `torch.Tensor.backward` on the leaf itself.
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
        x.backward()
        optimizer.step()
    return trajectory
