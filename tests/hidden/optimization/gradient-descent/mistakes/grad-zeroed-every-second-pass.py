"""How often does the line run that clears the gradient, and how often does backward()?

The gradient is cleared on some passes only; on the others two gradients add up.
Seen: Gradient-accumulation recipes (`if (i + 1) % n == 0`) copied without need, built on
`torch.optim.Optimizer.zero_grad`.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for i in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        if i % 2:
            x.grad.zero_()
    return trajectory
