# YOUR TURN
def triangular(low, high, up, down, passes):
    """A cyclic learning rate: the rate that is used in each pass, as a list.

    low, high: the smallest and the largest rate; up, down: in how many passes it climbs and comes back;
    passes: how many rates are wanted.
    """
    rates = []
    for t in range(passes):
        ### BEGIN SOLUTION
        place = t % (up + down)
        if place < up:
            share = place / up
        else:
            share = 1 - (place - up) / down
        rates.append(low + share * (high - low))
        ### END SOLUTION
    return rates
