"""Does f become smaller from pass to pass? Which way does the gradient point?

The step goes along the gradient, uphill.
Seen: `maximize=True` of `torch.optim.SGD`, or a plus sign; the commonest slip in gradient descent by hand.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x += lr * x.grad
        x.grad.zero_()
    return trajectory
