"""Print x.grad on the very line that uses it. What does it hold there?

The gradient is cleared between backward() and the update: every step has length 0.
Seen: `torch.optim.Optimizer.zero_grad`; training loops in the forum with `loss.backward(); optimizer.zero_grad();
optimizer.step()`.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        optimizer.zero_grad()
        optimizer.step()
    return trajectory
