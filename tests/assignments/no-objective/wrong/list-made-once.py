"""The list is a default argument: it is made once, and the second call adds to the first one's rates.

told: state-leaks-between-calls
"""


def triangular(low, high, up, down, passes, rates=[]):
    for t in range(passes):
        place = t % (up + down)
        if place < up:
            rates.append(low + (high - low) * place / up)
        else:
            rates.append(high - (high - low) * (place - up) / down)
    return rates
