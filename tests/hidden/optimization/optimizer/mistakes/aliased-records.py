"""Print your list after two passes. How many different tensors are in it?

The list holds the same memory n times: in the end all entries show the last point.
Seen: `append(x)`, `append(x.data)` and `append(x.detach().numpy())` share memory with x, which is updated in place.
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    points = []
    for _ in range(iterations):
        y = f(x)
        points.append(x)
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return [float(f(point)) for point in points]
