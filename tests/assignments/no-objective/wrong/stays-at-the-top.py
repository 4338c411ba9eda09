"""The top counts twice: once as the end of the climb, once as the beginning of the fall.

told: range-changed:one-more make*
"""


def triangular(low, high, up, down, passes):
    lrs = []
    for i in range(passes):
        k = i % (up + down + 1)
        if k <= up:
            lr = low + (high - low) * k / up
        else:
            lr = high - (high - low) * (k - up - 1) / down
        lrs.append(lr)
    return lrs
