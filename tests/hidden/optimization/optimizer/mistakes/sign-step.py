"""Do your steps become shorter where the slope becomes flatter?

Only the sign of the gradient is used: every step has length lr.
Seen: signSGD and `torch.optim.Rprop`, or a normalised gradient `g / abs(g)`, carried over from another course.
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
        y.backward()
        x.grad.sign_()
        optimizer.step()
    return trajectory
