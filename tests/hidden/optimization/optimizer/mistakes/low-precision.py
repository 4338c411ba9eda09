"""How many digits does your dtype keep?

x is stored in half precision.
Seen: `torch.bfloat16` or `torch.float16` from mixed-precision recipes (`torch.amp`).
"""

import torch


def use_optimizer(f, x0, lr, momentum, iterations):
    x = torch.tensor([float(x0)], dtype=torch.bfloat16, requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr, momentum=momentum)
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
