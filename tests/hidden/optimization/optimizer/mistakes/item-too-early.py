"""What type is y when you call backward() on it?

y is turned into a plain number before backward().
Seen: "'float' object has no attribute 'backward'".
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x).item()
        trajectory.append(y)
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
