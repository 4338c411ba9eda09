"""What does plain gradient descent do when a step leads uphill?

A step is taken only when f becomes smaller.
Seen: Hill climbing and line searches, mixed into the rule.
"""

import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        trial = (x - lr * x.grad).detach()
        if f(trial) < y:
            x.data = trial
        x.grad.zero_()
    return trajectory
