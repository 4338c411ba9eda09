"""The record is a NumPy array made beforehand."""

import numpy as np
import torch


def gradient_descent(f, x0, lr, iterations):
    x = torch.tensor([float(x0)], requires_grad=True)
    trajectory = np.zeros(iterations)
    for number in range(iterations):
        y = f(x)
        trajectory[number] = y.item()
        y.backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
    return trajectory
