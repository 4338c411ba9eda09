"""It climbs in `down` passes and comes back in `up`.

told: taken-for:* argument:*
"""


def triangular(low, high, up, down, passes):
    rates = []
    for t in range(passes):
        place = t % (up + down)
        if place < down:
            share = place / down
        else:
            share = 1 - (place - down) / up
        rates.append(low + share * (high - low))
    return rates
