"""The rate swings like a cosine instead of climbing by equal amounts.

told: nothing
"""

import math


def triangular(low, high, up, down, passes):
    rates = []
    for t in range(passes):
        place = t % (up + down)
        share = place / up if place < up else 1 - (place - up) / down
        rates.append(low + (high - low) * (1 - math.cos(math.pi * share)) / 2)
    return rates
