"""It takes as many passes down as up.

told: argument-replaced:by:up argument:down*
"""


def triangular(low, high, up, down, passes):
    rates = []
    for t in range(passes):
        place = t % (2 * up)
        if place < up:
            share = place / up
        else:
            share = 2 - place / up
        rates.append(low + share * (high - low))
    return rates
