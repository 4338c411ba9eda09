"""Change x0 and run again. Does anything change?

The numbers of the lesson's printed run are typed in.
Seen: Numbers copied from the notebook's table.
"""


def use_optimizer(f, x0, lr, momentum, iterations):
    return [64.0, 61.4656, 56.8399, 50.6622, 43.5074, 35.9341, 28.4440, 21.4519, 15.2682, 10.0963]
