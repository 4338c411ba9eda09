"""This is the delta rule: it moves by label minus score, at every point.

told: nothing
"""


def perceptron(points, labels, lr, sweeps):
    w = [0.0, 0.0]
    b = 0.0
    history = []
    for _ in range(sweeps):
        for point, label in zip(points, labels):
            history.append((w[0], w[1], b))
            error = label - (w[0] * point[0] + w[1] * point[1] + b)
            w[0] += lr * error * point[0]
            w[1] += lr * error * point[1]
            b += lr * error
    return history
