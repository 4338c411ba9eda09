"""Compare your first step with lr times the gradient. What is their ratio?

The velocity is a moving average: v = m v + (1 - m) g.
Seen: Adam's first moment (Kingma and Ba, 2015) taken for SGD's momentum.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    velocity = torch.zeros(1)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        velocity = momentum * velocity + (1 - momentum) * x.grad
        with torch.no_grad():
            x -= lr * velocity
        x.grad.zero_()
    return trajectory
