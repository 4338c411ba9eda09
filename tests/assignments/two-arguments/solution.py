# YOUR TURN
import torch


def descend_ascend(f, x, y, lr_x, lr_y, rounds):
    """x goes downhill and y uphill, at the same time; returns the pair (x_t, y_t) for each round, before the update.

    f: the objective of x and y; x, y: where they begin, two numbers; lr_x, lr_y: their rates; rounds: how many.
    """
    x = torch.tensor([float(x)], requires_grad=True)
    y = torch.tensor([float(y)], requires_grad=True)
    path = []
    for _ in range(rounds):
        path.append((x.item(), y.item()))
        ### BEGIN SOLUTION
        f(x, y).backward()
        with torch.no_grad():
            x -= lr_x * x.grad
            y += lr_y * y.grad
        x.grad.zero_()
        y.grad.zero_()
        ### END SOLUTION
    return path
