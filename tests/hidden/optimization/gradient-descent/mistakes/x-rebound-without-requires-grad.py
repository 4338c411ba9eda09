"""Print x.requires_grad after your update.

x is made anew under no_grad, and requires no gradient from then on.
Seen: "element 0 of tensors does not require grad and does not have a grad_fn", on the second pass.
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
            x = x - lr * x.grad
    return trajectory
