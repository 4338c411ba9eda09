"""Call your function twice with the same inputs. Is the second answer the first one?

x, the optimizer or the list live outside the function and go on from the last call.
Seen: Globals of a notebook, and mutable default arguments (`trajectory=[]`).
"""

import torch


def use_scheduler(f, x0, lr, gamma, iterations, trajectory=[]):
    x = torch.tensor([float(x0)], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=lr)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    for _ in range(iterations):
        optimizer.zero_grad()
        y = f(x)
        y.backward()
        optimizer.step()
        scheduler.step()
        trajectory.append((y.item(), optimizer.param_groups[0]["lr"]))
    return trajectory
