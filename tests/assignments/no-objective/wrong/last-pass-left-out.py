"""There is one rate too few.

told: one-pass-short | argument-replaced:one-less argument:passes*
"""


def triangular(low, high, up, down, passes):
    rates = []
    t = 0
    while t < passes - 1:
        place = t % (up + down)
        if place < up:
            rates.append(low + (high - low) / up * place)
        else:
            rates.append(high - (high - low) / down * (place - up))
        t += 1
    return rates
