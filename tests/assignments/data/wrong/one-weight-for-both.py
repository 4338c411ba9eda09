"""Both coordinates are taken from the same place: point[0] moves both weights.

told: constant-changed:one-less update:state:1* | constant-changed:zero update:state:1*
"""


def perceptron(points, labels, lr, sweeps):
    w = [0.0, 0.0]
    b = 0.0
    history = []
    for _ in range(sweeps):
        for point, label in zip(points, labels):
            history.append((w[0], w[1], b))
            score = w[0] * point[0] + w[1] * point[1] + b
            if label * score <= 0:
                w[0] += lr * label * point[0]
                w[1] += lr * label * point[0]
                b += lr * label
    return history
