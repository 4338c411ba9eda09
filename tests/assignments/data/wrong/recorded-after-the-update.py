"""The triple is recorded after the update.

told: recorded-after
"""


def perceptron(points, labels, lr, sweeps):
    w = [0.0, 0.0]
    b = 0.0
    history = []
    for _ in range(sweeps):
        for point, label in zip(points, labels):
            score = w[0] * point[0] + w[1] * point[1] + b
            if label * score <= 0:
                w[0] += lr * label * point[0]
                w[1] += lr * label * point[1]
                b += lr * label
            history.append((w[0], w[1], b))
    return history
