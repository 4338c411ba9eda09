# YOUR TURN
def perceptron(points, labels, lr, sweeps):
    """The perceptron's rule; returns (w[0], w[1], b) for each point of each sweep, before the update.

    points: a list of pairs; labels: a list of +1 and -1; lr: the learning rate; sweeps: how often it sees them all.
    """
    w = [0.0, 0.0]
    b = 0.0
    history = []
    for _ in range(sweeps):
        for point, label in zip(points, labels):
            history.append((w[0], w[1], b))
            ### BEGIN SOLUTION
            score = w[0] * point[0] + w[1] * point[1] + b
            if label * score <= 0:
                w[0] += lr * label * point[0]
                w[1] += lr * label * point[1]
                b += lr * label
            ### END SOLUTION
    return history
