"""Two neighbours in your list are equal. Which line put each of them there?

f(x0) is recorded before the loop and again in it.
Seen: A list begun with f(x0) above a loop that records before the update.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = [f(x).item()]
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
