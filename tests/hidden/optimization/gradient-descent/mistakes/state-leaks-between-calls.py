"""Call your function twice with the same inputs. Is the second answer the first one?

x, the optimizer or the list live outside the function and go on from the last call.
Seen: Globals of a notebook, and mutable default arguments (`trajectory=[]`).
"""

import torch

x = torch.tensor([8.0], requires_grad=True)


def gradient_descent(f, x0, lr, iterations):
    trajectory = []
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        x.data = x.data - lr * x.grad
        x.grad.zero_()
    return trajectory
