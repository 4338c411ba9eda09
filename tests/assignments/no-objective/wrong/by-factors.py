"""It climbs by equal factors and not by equal amounts.

told: nothing
"""


def triangular(low, high, up, down, passes):
    rates = []
    for t in range(passes):
        place = t % (up + down)
        share = place / up if place < up else 1 - (place - up) / down
        rates.append(low * (high / low) ** share)
    return rates
