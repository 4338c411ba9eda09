"""The direction is changed after the step was made: the rate goes one step beyond the top, and beyond the bottom.

told: nothing
"""


def triangular(low, high, up, down, passes):
    rate, rising = low, True
    rates = []
    for _ in range(passes):
        rates.append(rate)
        if rising:
            rate = rate + (high - low) / up
            if rate > high + 1e-9:
                rising = False
        else:
            rate = rate - (high - low) / down
            if rate < low - 1e-9:
                rising = True
    return rates
