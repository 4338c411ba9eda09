"""The rate goes into the velocity, which is subtracted; a new x in every pass."""

import torch


def nesterov(f, start, lr, momentum, iterations):
    x = torch.tensor(start).float()
    v = torch.zeros(len(start))
    points = []
    while len(points) < iterations:
        points.append([float(number) for number in x])
        x.requires_grad_(True)
        (g,) = torch.autograd.grad(f(x), x)
        v = momentum * v - lr * g
        x = (x + momentum * v - lr * g).detach()
    return points
