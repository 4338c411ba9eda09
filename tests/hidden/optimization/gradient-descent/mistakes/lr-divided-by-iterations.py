"""Should a longer run take shorter steps?

lr is divided by the number of passes.
Seen: Averages over a data set, written where there is none.
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
            x -= lr * x.grad / iterations
        x.grad.zero_()
    return trajectory
