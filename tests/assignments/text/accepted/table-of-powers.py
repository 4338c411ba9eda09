"""The name chooses a power of 1 + t from a table."""

import torch


def scheduled_descent(f, start, lr, schedule, passes):
    power = {"constant": 0, "inverse": 1, "sqrt": 0.5}[schedule]
    place, pairs = float(start), []
    for number in range(1, passes + 1):
        x = torch.tensor([place], requires_grad=True)
        y = f(x)
        y.backward()
        rate = lr * number**-power
        pairs.append([y.item(), rate])
        place = (x - rate * x.grad).item()
    return pairs
