"""Print x.grad on every pass. What did backward() do with the number that was already in it?

The gradient is never cleared, so that every pass steps with the sum of all gradients so far.
Seen: `torch.Tensor.backward` adds into the leaf's `.grad`; Stack Overflow 48001598, "Why do we need to call
zero_grad() in PyTorch?".
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
