"""It answers 1 or 0, but the labels are 1 and −1: what should be 0 is corrected by −1, and every −1 counts as wrong.

told: nothing
"""


def perceptron(points, labels, lr, sweeps):
    w = [0.0, 0.0]
    b = 0.0
    history = []
    for _ in range(sweeps):
        for point, label in zip(points, labels):
            history.append((w[0], w[1], b))
            z = w[0] * point[0] + w[1] * point[1] + b
            prediction = 1 if z > 0 else 0
            error = label - prediction
            w[0] += lr * error * point[0]
            w[1] += lr * error * point[1]
            b += lr * error
    return history
