"""Weights and bias are made inside the outer loop: every sweep begins with zeros.

told: moved-into-loop* make:*
"""


def perceptron(points, labels, lr, sweeps):
    history = []
    for _ in range(sweeps):
        w = [0.0, 0.0]
        b = 0.0
        for point, label in zip(points, labels):
            history.append((w[0], w[1], b))
            score = w[0] * point[0] + w[1] * point[1] + b
            if label * score <= 0:
                w[0] += lr * label * point[0]
                w[1] += lr * label * point[1]
                b += lr * label
    return history
