"""low is added, but high − low is what should be shared out, and not high.

told: right-operand-lost *
"""


def triangular(low, high, up, down, passes):
    rates = []
    for t in range(passes):
        pos = t % (up + down)
        if pos < up:
            x = pos / up
        else:
            x = (up + down - pos) / down
        rates.append(low + x * high)
    return rates
