"""Compare your second step with lr times the gradient there. What else is in it?

Momentum acts where none was asked for.
Seen: `momentum=0.9` kept from another exercise.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    velocity = 0.0
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        velocity = 0.9 * velocity + x.grad.clone()
        with torch.no_grad():
            x -= lr * velocity
        x.grad.zero_()
    return trajectory
