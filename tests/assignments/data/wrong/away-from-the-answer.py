"""The update goes the wrong way.

told: operator-turned:A-B update* | sign-lost * | flag-given:maximize * | loss-changed:negative *
"""


def perceptron(points, labels, lr, sweeps):
    w = [0.0, 0.0]
    b = 0.0
    out = []
    for _ in range(sweeps):
        for point, label in zip(points, labels):
            out.append((w[0], w[1], b))
            s = w[0] * point[0] + w[1] * point[1] + b
            if label * s <= 0:
                w[0] -= lr * label * point[0]
                w[1] -= lr * label * point[1]
                b -= lr * label
    return out
