"""Which of your lines should run once, and which on every pass?

x is made anew from x0 on every pass.
Seen: The tensor's creation moved into the loop to have `requires_grad` again.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    trajectory = []
    for _ in range(iterations):
        x = torch.tensor([float(x0)], requires_grad=True)
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
