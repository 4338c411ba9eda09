"""The optimizer is built anew on every pass, and its memory is carried over."""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory, memory = [], None
    for _ in range(iterations):
        optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
        if memory:
            optimizer.load_state_dict(memory)
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
        memory = optimizer.state_dict()
    return trajectory
