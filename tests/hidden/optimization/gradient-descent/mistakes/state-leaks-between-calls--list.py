"""Call your function twice with the same inputs. Is the second answer the first one?

x, the optimizer or the list live outside the function and go on from the last call.
Seen: Globals of a notebook, and mutable default arguments (`trajectory=[]`).
"""

import torch


def gradient_descent(f, x0, lr, iterations, trajectory=[]):
    x = torch.tensor([float(x0)], requires_grad=True)
    for _ in range(iterations):
        y = f(x)
        trajectory.append(y.item())
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
