"""The weights begin at 1 and not at 0.

told: constant-changed:one make:state:1 | sibling:ones_ *
"""


def perceptron(points, labels, lr, sweeps):
    w = [1.0, 1.0]
    b = 0.0
    history = []
    for _ in range(sweeps):
        for point, label in zip(points, labels):
            history.append((w[0], w[1], b))
            s = w[0] * point[0] + w[1] * point[1] + b
            if s * label <= 0:
                w[0] += lr * label * point[0]
                w[1] += lr * label * point[1]
                b += lr * label
    return history
