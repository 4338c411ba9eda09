"""Which velocity moves x on the first pass?

x moves with the velocity of the pass before.
Seen: The two update lines in the other order.
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
        with torch.no_grad():
            x -= lr * velocity
        velocity = momentum * velocity + x.grad
        x.grad.zero_()
    return trajectory
