"""Should the slope of the first pass still have a say on the tenth?

The mean of all gradients so far is used.
Seen: Sums of `.grad` divided by the number of passes, as batches are averaged.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    slopes = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        slopes.append(x.grad.item())
        with torch.no_grad():
            x -= lr * sum(slopes) / len(slopes)
        x.grad.zero_()
    return trajectory
