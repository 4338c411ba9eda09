# YOUR TURN
import torch


def scheduled_descent(f, start, lr, schedule, passes):
    """Gradient descent with a named schedule; returns (f(x_t) before the update, rate of this pass) for each pass.

    f: the objective; start: a number; lr: the first rate; schedule: "constant", "inverse" or "sqrt"; passes: how many.
    """
    x = torch.tensor([float(start)], requires_grad=True)
    trajectory = []
    for t in range(passes):
        y = f(x)
        ### BEGIN SOLUTION
        if schedule == "inverse":
            rate = lr / (1 + t)
        elif schedule == "sqrt":
            rate = lr / (1 + t) ** 0.5
        else:
            rate = lr
        trajectory.append((y.item(), rate))
        y.backward()
        with torch.no_grad():
            x -= rate * x.grad
        x.grad.zero_()
        ### END SOLUTION
    return trajectory
