"""The passes are counted from 1, so everything comes one pass early.

told: count-from-one | counter-changed:one-more *
"""


def triangular(low, high, up, down, passes):
    rates = []
    for t in range(1, passes + 1):
        position = t % (up + down)
        if position <= up:
            rates.append(low + (high - low) * position / up)
        else:
            rates.append(high - (high - low) * (position - up) / down)
    return rates
