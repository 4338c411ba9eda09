"""One cycle is made of two ramps and repeated until it is long enough."""

import itertools


def triangular(low, high, up, down, passes):
    climb = [low + (high - low) * i / up for i in range(up)]
    fall = [high + (low - high) * i / down for i in range(down)]
    return list(itertools.islice(itertools.cycle(climb + fall), passes))
