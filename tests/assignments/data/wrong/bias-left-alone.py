"""The bias is never changed.

told: left-out update:state:2*
"""


def perceptron(points, labels, lr, sweeps):
    w = [0.0, 0.0]
    b = 0.0
    history = []
    for _ in range(sweeps):
        for i in range(len(points)):
            history.append((w[0], w[1], b))
            x1, x2 = points[i]
            if labels[i] * (w[0] * x1 + w[1] * x2 + b) <= 0:
                w[0] = w[0] + lr * labels[i] * x1
                w[1] = w[1] + lr * labels[i] * x2
    return history
