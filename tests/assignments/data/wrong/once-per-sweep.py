"""There is one entry per sweep, not one per point.

told: moved-*loop* record* | moved-out-of-block record*
"""


def perceptron(points, labels, lr, sweeps):
    w1 = w2 = b = 0.0
    history = []
    for _ in range(sweeps):
        history.append((w1, w2, b))
        for (p1, p2), label in zip(points, labels):
            if label * (w1 * p1 + w2 * p2 + b) <= 0:
                w1 += lr * label * p1
                w2 += lr * label * p2
                b += lr * label
    return history
