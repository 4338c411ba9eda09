"""Types, a docstring, defaults and other names for the arguments."""

from collections.abc import Callable

import torch


def gradient_descent(objective: Callable, start: float = 8.0, rate: float = 0.1, passes: int = 20) -> list[float]:
    """f(x_t) before every update."""
    x: torch.Tensor = torch.tensor([float(start)], requires_grad=True)
    trajectory: list[float] = []
    while len(trajectory) < passes:
        y: torch.Tensor = objective(x)
        trajectory.append(float(y.detach()))
        y.backward()
        with torch.no_grad():
            x.add_(x.grad, alpha=-rate)
        x.grad = None
    return trajectory
