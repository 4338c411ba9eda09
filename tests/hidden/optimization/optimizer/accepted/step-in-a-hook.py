"""The step is taken in a hook, as soon as the gradient is there."""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)

    def move(_):
        optimizer.step()
        optimizer.zero_grad()

    x.register_post_accumulate_grad_hook(move)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
    return trajectory
