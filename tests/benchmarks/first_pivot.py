"""FPRev's own method, as published: the first input is the pivot, and nothing is checked.

Xie, Gao, Wang and Xue 2025, "Revealing floating-point accumulation orders in software/hardware
implementations", USENIX ATC: probe the first input of a set with all the others; those with one
answer are one subtree, and the answers rise on the way from the first input to the root.
"""

import numpy as np

from fpdrift.reduction import Plan


def first_pivot(add, n, dtype):
    """Give the tree of two-term nodes in which a function adds n numbers.

    One buffer is filled with ones, and only the two masks are set and taken back, so that a probe
    costs little more than the call.
    """
    mask = np.dtype(dtype).type(2.0 ** (15 if dtype == "float16" else 127))
    row = np.ones(n, dtype)
    pairs = []
    # A set to do, or None: add the two topmost of what is done.
    to_do, done = [list(range(n))], []
    while to_do:
        inputs = to_do.pop()
        if inputs is None:
            second, first = done.pop(), done.pop()
            pairs.append((first, second))
            done.append(n + len(pairs) - 1)
            continue
        first, *others = inputs
        groups = {}
        row[first] = mask
        for other in others:
            row[other] = -mask
            groups.setdefault(n - int(add(row)), []).append(other)
            row[other] = 1
        row[first] = 1
        done.append(first)
        # The last put down is done first: the smallest answer, next to the first input.
        for size in sorted(groups, reverse=True):
            to_do += [None, groups[size]]
    return Plan(n=n, children=np.array(pairs).reshape(-1), starts=2 * np.arange(n))
