"""The length of the cycle is that of the lesson's table, 6.

told: hard-coded-argument | formula-replaced:by-lesson *
"""


def triangular(low, high, up, down, passes):
    rates = []
    for t in range(passes):
        place = t % 6
        if place < up:
            rates.append(low + (high - low) * place / up)
        else:
            rates.append(high - (high - low) * (place - up) / down)
    return rates
