"""This is ordinary momentum: the step is the velocity alone, without the look ahead.

told: keyword-lost:nesterov * | replaced-by:state:1 update
"""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    path = []
    speed = 0
    for i in range(iterations):
        path.append(x.tolist())
        loss = f(x)
        loss.backward()
        speed = speed * momentum + x.grad
        with torch.no_grad():
            x.sub_(lr * speed)
        x.grad = None
    return path
