"""Below zero only: with zeros everywhere the score is zero, so nothing is ever learned.

told: compared:<=< *
"""


def perceptron(points, labels, lr, sweeps):
    w = [0.0, 0.0]
    b = 0.0
    history = []
    for _ in range(sweeps):
        for p, label in zip(points, labels):
            history.append((w[0], w[1], b))
            s = w[0] * p[0] + w[1] * p[1] + b
            if label * s < 0:
                w[0] += lr * label * p[0]
                w[1] += lr * label * p[1]
                b += lr * label
    return history
