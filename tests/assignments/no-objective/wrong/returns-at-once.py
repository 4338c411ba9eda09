"""return stands in the loop.

told: return-inside-loop
"""


def triangular(low, high, up, down, passes):
    rates = []
    for t in range(passes):
        place = t % (up + down)
        share = place / up if place < up else 1 - (place - up) / down
        rates.append(low + share * (high - low))
        return rates
