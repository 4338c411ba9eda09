# YOUR TURN
import torch


def nesterov(f, start, lr, momentum, iterations):
    """Nesterov's momentum by hand; returns x_t as a list of floats for each pass, before the update.

    f: the objective of a tensor x; start: a list of numbers; lr: the learning rate; momentum: the part of the velocity
    that is kept; iterations: the number of passes.
    """
    x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
    path = []
    ### BEGIN SOLUTION
    velocity = torch.zeros_like(x)
    ### END SOLUTION
    for _ in range(iterations):
        path.append(x.tolist())
        ### BEGIN SOLUTION
        f(x).backward()
        with torch.no_grad():
            velocity = momentum * velocity + x.grad
            x -= lr * (x.grad + momentum * velocity)
        x.grad.zero_()
        ### END SOLUTION
    return path
