"""A fold over the passes, in one expression."""

from functools import reduce

import torch


def slope(f, x):
    return torch.func.grad(lambda t: f(t).sum())(x)


gradient_descent = lambda f, x0, lr, iterations: reduce(
    lambda state, _: (state[0] - lr * slope(f, state[0]), [*state[1], f(state[0]).item()]),
    range(iterations),
    (torch.tensor([float(x0)]), []),
)[1]
