"""How many times per pass does backward() run, and what is in x.grad after the second time?

Two backward passes per update: the gradient counts twice.
Seen: `retain_graph=True` added to silence "Trying to backward through the graph a second time".
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward(retain_graph=True)
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
