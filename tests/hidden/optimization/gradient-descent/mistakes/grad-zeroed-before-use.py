"""Print x.grad on the very line that uses it. What does it hold there?

The gradient is cleared between backward() and the update: every step has length 0.
Seen: `torch.optim.Optimizer.zero_grad`; training loops in the forum with `loss.backward(); optimizer.zero_grad();
optimizer.step()`.
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
        with torch.no_grad():
            x -= lr * x.grad
    return trajectory
