"""Do your steps become shorter where the slope becomes flatter?

Only the sign of the gradient is used: every step has length lr.
Seen: signSGD and `torch.optim.Rprop`, or a normalised gradient `g / abs(g)`, carried over from another course.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * torch.sign(x.grad)
        x.grad.zero_()
    return trajectory
