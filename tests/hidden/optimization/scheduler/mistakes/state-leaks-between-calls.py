"""Call your function twice with the same inputs. Is the second answer the first one?

x, the optimizer or the list live outside the function and go on from the last call.
Seen: Globals of a notebook, and mutable default arguments (`trajectory=[]`).
"""

import torch

x = torch.tensor([8.0], requires_grad=True)
optimizer = torch.optim.SGD([x], lr=0.5)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.8)


def use_scheduler(f, x0, lr, gamma, iterations):
    trajectory = []
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
