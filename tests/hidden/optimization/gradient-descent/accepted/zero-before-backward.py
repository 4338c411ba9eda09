"""The gradient is cleared before backward(), once there is one."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        if x.grad is not None:
            x.grad.zero_()
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
    return trajectory
