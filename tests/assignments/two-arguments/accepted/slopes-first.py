"""Both slopes are asked for at once, and two new tensors are made from them."""

import torch


def descend_ascend(f, x, y, lr_x, lr_y, rounds):
    here = (float(x), float(y))
    game = []
    for _ in range(rounds):
        game.append(here)
        a, b = (torch.tensor(number, requires_grad=True) for number in here)
        down, up = torch.autograd.grad(f(a, b), [a, b])
        here = ((a - lr_x * down).item(), (b + lr_y * up).item())
    return game
