"""On the way down it falls to zero and not to low.

told: left-operand-lost* * | argument-replaced:by-zero argument:low*
"""


def triangular(low, high, up, down, passes):
    schedule = []
    for t in range(passes):
        where = t % (up + down)
        if where < up:
            schedule.append(low + (high - low) * where / up)
        else:
            schedule.append(high * (1 - (where - up) / down))
    return schedule
