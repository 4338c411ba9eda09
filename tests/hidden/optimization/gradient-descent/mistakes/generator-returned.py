"""What type has the thing that your function gives back?

A generator comes back.
Seen: `yield` in place of append.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    for _ in range(iterations):
        y = f(x)
        yield y.item()
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
