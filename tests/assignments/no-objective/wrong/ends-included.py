"""linspace includes both ends: the steps are too large, and top and bottom come twice.

told: argument-replaced:one-less argument:* | counter-changed:one-less *
"""

import numpy as np


def triangular(low, high, up, down, passes):
    cycle = list(np.linspace(low, high, up)) + list(np.linspace(high, low, down))
    return [float(cycle[t % len(cycle)]) for t in range(passes)]
