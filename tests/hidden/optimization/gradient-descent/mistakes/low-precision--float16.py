"""How many digits does your dtype keep?

x is stored in half precision.
Seen: `torch.bfloat16` or `torch.float16` from mixed-precision recipes (`torch.amp`).
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], dtype=torch.float16, requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
