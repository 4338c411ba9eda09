"""The bias is learned but is not part of the score.

told: right-operand-lost *
"""


def perceptron(points, labels, lr, sweeps):
    w = [0.0, 0.0]
    b = 0.0
    history = []
    for sweep in range(sweeps):
        for point, label in zip(points, labels):
            history.append((w[0], w[1], b))
            score = sum(a * c for a, c in zip(w, point))
            if score * label <= 0:
                w = [a + lr * label * c for a, c in zip(w, point)]
                b += lr * label
    return history
