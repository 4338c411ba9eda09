"""Call your function twice with the same inputs. Is the second answer the first one?

x, the optimizer or the list live outside the function and go on from the last call.
Seen: Globals of a notebook, and mutable default arguments (`trajectory=[]`).
"""

import torch

x = torch.tensor([8.0], requires_grad=True)
optimizer = torch.optim.SGD([x], lr=0.01, momentum=0.9)


def use_optimizer(f, x0, lr, momentum, iterations):
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        optimizer.zero_grad()
        y.backward()
        optimizer.step()
    return trajectory
