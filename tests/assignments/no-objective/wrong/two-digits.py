"""The rates are rounded to two digits.

told: rounded-values | recorded:rounded record
"""


def triangular(low, high, up, down, passes):
    rates = []
    for t in range(passes):
        place = t % (up + down)
        if place < up:
            value = low + place * (high - low) / up
        else:
            value = high - (place - up) * (high - low) / down
        rates.append(round(value, 2))
    return rates
