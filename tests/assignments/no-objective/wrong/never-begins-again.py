"""There is one cycle only; after it the rate goes on falling, below low and below zero.

told: right-operand-lost *
"""


def triangular(low, high, up, down, passes):
    rates = []
    for t in range(passes):
        if t < up:
            rates.append(low + t / up * (high - low))
        else:
            rates.append(high - (t - up) / down * (high - low))
    return rates
