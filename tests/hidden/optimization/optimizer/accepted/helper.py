"""A helper outside makes one pass."""

import torch


def one_pass(f, x, optimizer):
    y = f(x)
    optimizer.zero_grad()
    y.backward()
    optimizer.step()
    return y.item()


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    return [one_pass(f, x, optimizer) for _ in range(iterations)]
