"""The label is that of the point before: the index is one off.

told: argument-replaced:rolled argument:labels
"""


def perceptron(points, labels, lr, sweeps):
    w = [0.0, 0.0]
    b = 0.0
    history = []
    for _ in range(sweeps):
        for i in range(len(points)):
            history.append((w[0], w[1], b))
            point, label = points[i], labels[i - 1]
            score = w[0] * point[0] + w[1] * point[1] + b
            if label * score <= 0:
                w[0] += lr * label * point[0]
                w[1] += lr * label * point[1]
                b += lr * label
    return history
