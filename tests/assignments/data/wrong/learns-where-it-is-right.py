"""The condition is turned round: it learns where the answer is right.

told: compared:<=>= *
"""


def perceptron(points, labels, lr, sweeps):
    w = [0.0, 0.0]
    b = 0.0
    history = []
    for _ in range(sweeps):
        for (px, py), target in zip(points, labels):
            history.append((w[0], w[1], b))
            activation = w[0] * px + w[1] * py + b
            if target * activation >= 0:
                w[0] += lr * target * px
                w[1] += lr * target * py
                b += lr * target
    return history
