"""Does f become smaller from pass to pass? Which way does the gradient point?

The step goes along the gradient, uphill.
Seen: `maximize=True` of `torch.optim.SGD`, or a plus sign; the commonest slip in gradient descent by hand.
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
        (-y).backward()
        optimizer.step()
    return trajectory
