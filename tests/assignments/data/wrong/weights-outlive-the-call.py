"""Weights and bias are made outside the function: the second call goes on where the first one ended.

told: state-leaks-between-calls
"""

w = [0.0, 0.0]
b = 0.0


def perceptron(points, labels, lr, sweeps):
    global w, b
    history = []
    for _ in range(sweeps):
        for point, label in zip(points, labels):
            history.append((w[0], w[1], b))
            score = w[0] * point[0] + w[1] * point[1] + b
            if label * score <= 0:
                w = [w[0] + lr * label * point[0], w[1] + lr * label * point[1]]
                b = b + lr * label
    return history
