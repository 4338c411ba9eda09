"""The graph of the gradient is built without need."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward(create_graph=True)
        x.data = x.data - lr * x.grad.detach()
        x.grad = None
    return trajectory
