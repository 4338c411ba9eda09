"""A hook on x takes the step as soon as the gradient is there."""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)

    def walk(leaf):
        leaf.data = leaf.data - lr * leaf.grad
        leaf.grad = None

    x.register_post_accumulate_grad_hook(walk)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
    return trajectory
