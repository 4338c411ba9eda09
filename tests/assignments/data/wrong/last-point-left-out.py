"""The last point is never looked at.

told: argument-replaced:cut argument:points* | argument-replaced:cut argument:labels* | one-pass-short
"""


def perceptron(points, labels, lr, sweeps):
    w = [0.0, 0.0]
    b = 0.0
    history = []
    for _ in range(sweeps):
        for i in range(len(points) - 1):
            history.append((w[0], w[1], b))
            score = w[0] * points[i][0] + w[1] * points[i][1] + b
            if labels[i] * score <= 0:
                w[0] += lr * labels[i] * points[i][0]
                w[1] += lr * labels[i] * points[i][1]
                b += lr * labels[i]
    return history
