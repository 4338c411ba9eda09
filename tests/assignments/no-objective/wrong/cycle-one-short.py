"""The cycle is thought to be one pass shorter, so the bottom is left out from the second cycle on.

told: argument-replaced:one-less argument:down/* | argument-replaced:one-less argument:up/*
"""


def triangular(low, high, up, down, passes):
    period = up + down - 1
    rates = []
    for t in range(passes):
        p = t % period
        if p <= up:
            rates.append(low + (high - low) * p / up)
        else:
            rates.append(high - (high - low) * (p - up) / down)
    return rates
