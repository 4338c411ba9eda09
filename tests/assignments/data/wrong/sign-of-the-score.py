"""label minus sign: where it is wrong the difference is 2, so that the steps are twice as long.

told: factor-added:doubled * | argument-replaced:doubled argument:lr*
"""

import numpy as np


def perceptron(points, labels, lr, sweeps):
    w = np.zeros(2)
    b = 0.0
    history = []
    for _ in range(sweeps):
        for p, y in zip(np.array(points), labels):
            history.append((w[0], w[1], b))
            guess = 1 if w @ p + b > 0 else -1
            w = w + lr * (y - guess) * p
            b = b + lr * (y - guess)
    return history
