"""It learns from every point, also where the answer was right.

told: always * | right-operand-lost update:*
"""


def perceptron(points, labels, lr, sweeps):
    w = [0.0, 0.0]
    b = 0.0
    history = []
    for _ in range(sweeps):
        for point, label in zip(points, labels):
            history.append((w[0], w[1], b))
            w[0] += lr * label * point[0]
            w[1] += lr * label * point[1]
            b += lr * label
    return history
