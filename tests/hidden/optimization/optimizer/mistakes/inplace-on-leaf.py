"""The error names two facts about x that do not go together. Which are they?

x is changed in place outside no_grad.
Seen: "a leaf Variable that requires grad is being used in an in-place operation."
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
        x -= lr * x.grad
        optimizer.step()
    return trajectory
