"""Does the slope stay the same while you walk?

backward() ran once, at the start, and its result is used for ever.
Seen: The forward and backward lines pulled out of the loop "because they do not change".
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    f(x).backward()
    slope = x.grad.clone()
    trajectory = []
    for _ in range(iterations):
        trajectory.append(f(x).item())
        with torch.no_grad():
            x -= lr * slope
    return trajectory
