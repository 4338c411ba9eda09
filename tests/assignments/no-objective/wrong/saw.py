"""A saw: it jumps back to low after the climb and has no way down.

told: right-operand-lost *
"""


def triangular(low, high, up, down, passes):
    step = (high - low) / up
    result = []
    for n in range(passes):
        result.append(low + step * (n % up))
    return result
