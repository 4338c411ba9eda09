"""Which line fills x.grad? Does it run?

backward() is left out, or written without its parentheses.
Seen: `loss.backward` as a bare name is no error in Python; the forum's "parameters do not change" threads.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
