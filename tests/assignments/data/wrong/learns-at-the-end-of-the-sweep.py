"""The corrections are gathered and made at the end of the sweep, all at once.

told: nothing
"""


def perceptron(points, labels, lr, sweeps):
    w = [0.0, 0.0]
    b = 0.0
    history = []
    for _ in range(sweeps):
        dw = [0.0, 0.0]
        db = 0.0
        for point, label in zip(points, labels):
            history.append((w[0], w[1], b))
            if label * (w[0] * point[0] + w[1] * point[1] + b) <= 0:
                dw[0] += lr * label * point[0]
                dw[1] += lr * label * point[1]
                db += lr * label
        w = [w[0] + dw[0], w[1] + dw[1]]
        b = b + db
    return history
