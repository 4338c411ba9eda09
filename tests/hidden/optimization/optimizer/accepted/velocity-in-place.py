"""The velocity begins as a copy of the first gradient and changes in place."""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    velocity = None
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        (slope,) = torch.autograd.grad(y, x)
        velocity = slope.clone() if velocity is None else velocity.mul_(momentum).add_(slope)
        with torch.no_grad():
            x.add_(velocity, alpha=-lr)
    return trajectory
