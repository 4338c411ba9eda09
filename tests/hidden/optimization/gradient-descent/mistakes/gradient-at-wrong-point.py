"""At which x is the derivative in your update taken?

The gradient belongs to a trial point beyond x_t, not to x_t.
Seen: Extragradient and look-ahead methods; the inner form of Nesterov's momentum (Sutskever et al., 2013).
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        (here,) = torch.autograd.grad(y, x)
        ahead = (x - lr * here).detach().requires_grad_()
        (slope,) = torch.autograd.grad(f(ahead), ahead)
        with torch.no_grad():
            x -= lr * slope
    return trajectory
