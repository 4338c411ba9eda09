"""t % up + down is (t % up) + down: it takes the remainder by up alone and adds down.

told: parentheses-lost *
"""


def triangular(low, high, up, down, passes):
    rates = []
    for t in range(passes):
        place = t % up + down
        if place < up:
            share = place / up
        else:
            share = 1 - (place - up) / down
        rates.append(low + share * (high - low))
    return rates
