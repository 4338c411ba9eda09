"""Count your values. What made the loop end?

The walk ends, or stands still, once something is small.
Seen: Stopping rules `if abs(step) < tol: break` of numerics courses.
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
        if x.grad.abs() < 0.5:
            break
        optimizer.step()
    return trajectory
