"""The step uses the velocity of the pass before; it is brought up to date afterwards. Plain momentum steps so, too.

told: moved-*:update* update* | moved-out-of-block update:state:1
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    path = []
    velocity = torch.zeros_like(x)
    for _ in range(iterations):
        path.append(x.tolist())
        f(x).backward()
        gradient = x.grad.clone()
        x.grad.zero_()
        with torch.no_grad():
            x -= lr * (gradient + momentum * velocity)
        velocity = momentum * velocity + gradient
    return path
