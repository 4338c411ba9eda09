"""Compare your first step with lr times the gradient. What is their ratio?

The rate is multiplied by 1 - momentum.
Seen: The moving-average form of momentum, in which lr has another meaning.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr * (1 - momentum), momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
