"""step(closure) evaluates f itself and gives the value before the step back."""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)

    def closure():
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        return y

    return [optimizer.step(closure).item() for _ in range(iterations)]
