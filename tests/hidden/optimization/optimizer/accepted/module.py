"""x is the parameter of a module."""

import torch


class Walker(torch.nn.Module):
    def __init__(self, start):
        super().__init__()
        self.x = torch.nn.Parameter(torch.tensor([float(start)]))

    def forward(self, f):
        return f(self.x)


def use_optimizer(f, x0, lr, momentum, iterations):
    walker = Walker(x0)
    optimizer = torch.optim.SGD(walker.parameters(), lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        walker.zero_grad()
        y = walker(f)
        trajectory.append(y.item())
        y.backward()
        optimizer.step()
    return trajectory
