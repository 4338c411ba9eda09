"""Print x.grad on every pass. What did backward() do with the number that was already in it?

The gradient is never cleared, so that every pass steps with the sum of all gradients so far.
Seen: `torch.Tensor.backward` adds into the leaf's `.grad`; Stack Overflow 48001598, "Why do we need to call
zero_grad() in PyTorch?".
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
            x -= lr * x.grad
    return trajectory
