"""There is one cycle only; after it the rate stays low.

told: nothing
"""


def triangular(low, high, up, down, passes):
    rates = []
    for t in range(passes):
        if t < up:
            r = low + t * (high - low) / up
        elif t < up + down:
            r = high - (t - up) * (high - low) / down
        else:
            r = low
        rates.append(r)
    return rates
