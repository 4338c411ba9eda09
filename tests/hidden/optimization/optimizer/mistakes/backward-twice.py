"""How many times per pass does backward() run, and what is in x.grad after the second time?

Two backward passes per update: the gradient counts twice.
Seen: `retain_graph=True` added to silence "Trying to backward through the graph a second time".
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward(retain_graph=True)
        y.backward()
        optimizer.step()
    return trajectory
