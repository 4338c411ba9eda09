"""The formula from the paper holds where both sides are equally long.

told: nothing
"""

import math


def triangular(low, high, up, down, passes):
    stepsize = (up + down) / 2
    rates = []
    for iteration in range(passes):
        cycle = math.floor(1 + iteration / (2 * stepsize))
        x = abs(iteration / stepsize - 2 * cycle + 1)
        rates.append(low + (high - low) * max(0, 1 - x))
    return rates
