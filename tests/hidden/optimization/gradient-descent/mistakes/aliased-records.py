"""Print your list after two passes. How many different tensors are in it?

The list holds the same memory n times: in the end all entries show the last point.
Seen: `append(x)`, `append(x.data)` and `append(x.detach().numpy())` share memory with x, which is updated in place.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    points = []
    for _ in range(iterations):
        y = f(x)
        points.append(x.data)
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return [f(point).item() for point in points]
