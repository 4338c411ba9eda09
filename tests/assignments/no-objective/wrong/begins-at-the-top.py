"""It begins high and comes down first.

told: operator-turned:B+A *
"""


def triangular(low, high, up, down, passes):
    rates = []
    for t in range(passes):
        p = t % (up + down)
        if p < down:
            rates.append(high - (high - low) * p / down)
        else:
            rates.append(low + (high - low) * (p - down) / up)
    return rates
