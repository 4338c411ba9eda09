"""Compare your first step with lr times the gradient. Which of the two is shorter?

The gradient is cut to a largest length before the update.
Seen: `torch.nn.utils.clip_grad_norm_` and `clip_grad_value_`, copied from training loops of recurrent networks.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        torch.nn.utils.clip_grad_value_([x], 1.0)
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
