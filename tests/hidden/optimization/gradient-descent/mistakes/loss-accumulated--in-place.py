"""Through which old graphs does your backward() walk again?

The values of all passes are summed, and the sum is differentiated on every pass.
Seen: `total_loss += loss` without detach, the forum's classic for growing memory and for `retain_graph=True`.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    total = 0.0
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        total = total + y
        total.backward(retain_graph=True)
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
