"""Right and wrong answers to every exercise: lesson, check -> (right, wrong)."""

import numpy as np

from fpdrift.lessons import bits, chain, order, sums
from fpdrift.reduction import sums as ways

#: What no exercise takes for an answer.
NEVER = (..., None, object(), {"a": 1}, float("nan"))


def kahan(wrong=False):
    """Kahan's loop, or one with a slip."""

    def add(values):
        total = correction = values.dtype.type(0)
        for value in values:
            corrected = value - correction
            new = total + corrected
            correction = (new - total) - corrected
            correction = {"sign": -correction, "none": 0 * correction}.get(wrong, correction)
            total = new
        return total

    return add


ANSWERS = {
    bits.check_1: (
        ["0.375", "0.25", "0.125"],
        ["0.1", "0.5", "0.3", "1.5", "0", 0.25, "half", "1e-99999", "0.333333333333"],
    ),
    bits.check_2: ([2.0**-52, np.finfo(float).eps], [2.0**-53, 1e-16, 2.3e-308, 1, "2**-52", 0]),
    bits.check_3: ([12], [0, 1, 11, 13, 63, 64, -1, 12.0, True]),
    bits.check_4: ([2.0**53, 2**53], [2.0**52, 2.0**54, 1e16, -(2.0**53), 0, 2.0**24, 10**400]),
    chain.check_1: ([2, 2.0], [1, 0, 1.636, -2, "2", 2.2e-16]),
    chain.check_2: (["multiply first", "Multiply first "], ["quotient", "divide first", "pair", 2]),
    chain.check_3: (
        [1.8167285692477424e-08],
        [1.8167285897874308e-08, 2.220446049250313e-08, 0, 0.9999999818327143, "1.8e-8"],
    ),
    chain.check_4: ([1e-17, 1e-300], [0, -1e-17, 1e-15, 1e-8, 1, 2.0**-53 * 1.5, "1e-17"]),
    sums.check_1: (
        [kahan(), ways.kahan_sum],
        [kahan("sign"), kahan("none"), np.sum, sum, ways.exact_sum, lambda x: ..., lambda x: "s"],
    ),
    sums.check_2: ([20001, 20001.0], [1, 20000, 10000, 1e-4, "20001"]),
    sums.check_3: (["kahan", "Kahan"], ["plain loop", "pairwise", "exact", 3]),
    sums.check_4: (
        [[1e8, 1.0, -1e8], (1e10, -5, -1e10)],
        [[1, 2, 3], [1, -1, 0], [1e8, -1e8, 1.0], [1e39, 1, -1e39], [1, 2], "1e8", 3],
    ),
    order.check_1: ([1], [0, 2, 4.44e-16, True, "1"]),
    order.check_2: (["2*11/9", " 2 * 11 / 9"], ["2/9*11", "22/9", "2/(9/11)", 1]),
    order.check_3: (
        [(1, 3, 10), [1, 3, 10]],
        [(2, 11, 9), (11, 2, 9), (2, 4, 8), (1, 3), 7, (1.0, 3, 10), (0, 3, 10), (1, 3, 21)],
    ),
    order.check_4: (
        ["0.1+0.2+0.3"],
        ["0.5+0.25+0.125", "0.1*3", "0.1+", "1/3+1", 0.6, "import os"],
    ),
}
