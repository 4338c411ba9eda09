"""When is x.grad worth recording, and is it still the same after you clear it?

x.grad itself is recorded: many names for one tensor, which is cleared.
Seen: `list.append(x.grad)` keeps a reference; `torch.Tensor.zero_` works in place.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        y.backward()
        trajectory.append(x.grad)
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
