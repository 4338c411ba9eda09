"""Two neighbours in your list are equal. Which line put each of them there?

f(x0) is recorded before the loop and again in it.
Seen: A list begun with f(x0) above a loop that records before the update.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = [f(x).item()]
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
