"""Count your values. What made the loop end?

The walk ends, or stands still, once something is small.
Seen: Stopping rules `if abs(step) < tol: break` of numerics courses.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        if x.grad.abs() < 0.5:
            break
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
