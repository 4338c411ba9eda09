"""return stands at the end of the outer loop's body: there is one sweep only.

told: return-inside-loop
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
                w[1] += lr * label * point[1]
                b += lr * label
        return history
