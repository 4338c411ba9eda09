"""Which line moves x?

Nothing changes x: backward() alone fills x.grad.
Seen: Belief that `torch.Tensor.backward` also updates.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        x.grad.zero_()
    return trajectory
