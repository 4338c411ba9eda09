"""Exercises of every shape, each with the program that is right: what tests of feedback and of class pages share."""

from __future__ import annotations

from stepgrade.exercise import Exercise, Objective, load_program

VECTOR = """
def heavy_ball(f, start, lr, momentum, iterations):
    x = torch.tensor(start, requires_grad=True)
    velocity, trajectory = torch.zeros_like(x), []
    for _ in range(iterations):
        trajectory.append(x.tolist())
        f(x).backward()
        with torch.no_grad():
            velocity = momentum * velocity + x.grad
            x -= lr * velocity
        x.grad.zero_()
    return trajectory
"""
TWO_ARGUMENTS = """
def saddle(g, u, v, rate, passes):
    u, v = torch.tensor(float(u), requires_grad=True), torch.tensor(float(v), requires_grad=True)
    record = []
    for _ in range(passes):
        loss = g(u, v)
        record.append(loss.item())
        loss.backward()
        with torch.no_grad():
            u -= rate * u.grad
            v += rate * v.grad
        u.grad.zero_()
        v.grad.zero_()
    return record
"""
RATES = """
def step_decay(lr, step_size, gamma, passes):
    return [lr * gamma ** (t // step_size) for t in range(passes)]
"""
DATA = """
def fit(features, labels, rate, kind, epochs):
    x, y = torch.tensor(features), torch.tensor(labels)
    w, b, record = torch.zeros(x.shape[1]), torch.zeros(()), []
    for _ in range(epochs):
        off = x @ w + b - y
        loss = off.abs().mean() if kind == "absolute" else (off ** 2).mean()
        slope = torch.sign(off) / len(y) if kind == "absolute" else 2 * off / len(y)
        record.append((loss.item(), *w.tolist(), b.item()))
        w, b = w - rate * (x.T @ slope), b - rate * slope.sum()
    return record
"""
FEATURES = [[0.1 * n, 1.0 - 0.05 * n] for n in range(40)]
LABELS = [0.3 * n % 2 for n in range(40)]

BY_NAME = {
    "vector": Exercise(
        name="heavy-ball",
        function="heavy_ball",
        columns=("x[0]", "x[1]"),
        reference=load_program(VECTOR)["heavy_ball"],
        lesson={
            "f": Objective("x[0] ** 2 / 20 + x[1] ** 2"),
            "start": [-9.0, 3.0],
            "lr": 0.5,
            "momentum": 0.5,
            "iterations": 12,
        },
        hidden=(
            {
                "f": Objective("(1 - x[0]) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2"),
                "start": [-1.2, 1.0],
                "lr": 0.01,
                "momentum": 0.9,
                "iterations": 9,
            },
        ),
        objective="f",
        passes="iterations",
    ),
    "two_arguments": Exercise(
        name="saddle",
        function="saddle",
        columns=("g(u, v)",),
        reference=load_program(TWO_ARGUMENTS)["saddle"],
        lesson={"g": Objective("u ** 2 - v ** 2 + u * v", "u v"), "u": 2, "v": -1, "rate": 0.1, "passes": 10},
        hidden=({"g": Objective("u ** 2 / 2 - v ** 2", "u v"), "u": -1.5, "v": 2, "rate": 0.1, "passes": 7},),
        objective="g",
        passes="passes",
    ),
    "no_objective": Exercise(
        name="step-decay",
        function="step_decay",
        columns=("rate",),
        reference=load_program(RATES)["step_decay"],
        lesson={"lr": 0.5, "step_size": 4, "gamma": 0.5, "passes": 15},
        hidden=({"lr": 0.3, "step_size": 3, "gamma": 0.9, "passes": 11},),
        passes="passes",
    ),
    "data": Exercise(
        name="fit",
        function="fit",
        columns=("loss", "w[0]", "w[1]", "b"),
        reference=load_program(DATA)["fit"],
        lesson={"features": FEATURES, "labels": LABELS, "rate": 0.2, "kind": "squared", "epochs": 12},
        hidden=({"features": FEATURES[::-2], "labels": LABELS[::-2], "rate": 0.1, "kind": "absolute", "epochs": 8},),
    ),
}
PROGRAMS = {"vector": VECTOR, "two_arguments": TWO_ARGUMENTS, "no_objective": RATES, "data": DATA}
