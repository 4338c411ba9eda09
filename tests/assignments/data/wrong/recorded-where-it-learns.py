"""Only the points from which it learns are recorded.

told: moved-into-block record*
"""


def perceptron(points, labels, lr, sweeps):
    w = [0.0, 0.0]
    b = 0.0
    history = []
    for _ in range(sweeps):
        for point, label in zip(points, labels):
            score = w[0] * point[0] + w[1] * point[1] + b
            if label * score <= 0:
                history.append((w[0], w[1], b))
                w[0] += lr * label * point[0]
                w[1] += lr * label * point[1]
                b += lr * label
    return history
