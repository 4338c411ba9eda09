"""There is one sweep too many.

told: one-pass-more
"""


def perceptron(points, labels, lr, sweeps):
    w = [0.0, 0.0]
    b = 0.0
    history = []
    sweep = 0
    while sweep <= sweeps:
        for point, label in zip(points, labels):
            history.append((w[0], w[1], b))
            if label * (w[0] * point[0] + w[1] * point[1] + b) <= 0:
                w[0] += lr * label * point[0]
                w[1] += lr * label * point[1]
                b += lr * label
        sweep += 1
    return history
