"""With arrays, the bias as a third weight, and an update of zero where the answer is right."""

import numpy as np


def perceptron(points, labels, lr, sweeps):
    rows = np.hstack([np.array(points, dtype=float), np.ones((len(points), 1))])
    weights = np.zeros(3)
    seen = []
    for index in list(range(len(rows))) * sweeps:
        seen.append(weights.copy())
        is_wrong = labels[index] * (rows[index] @ weights) <= 0
        weights += lr * labels[index] * rows[index] * is_wrong
    return seen
