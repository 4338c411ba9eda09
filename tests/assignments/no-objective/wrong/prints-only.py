"""The rates are printed and not returned.

told: no-return
"""


def triangular(low, high, up, down, passes):
    for t in range(passes):
        place = t % (up + down)
        share = place / up if place < up else 1 - (place - up) / down
        rate = low + share * (high - low)
        print(t, rate)
