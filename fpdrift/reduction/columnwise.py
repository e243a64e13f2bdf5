"""Apply the algorithms of `fpdrift.reduction.algorithms` to many sums, along the first axis.

Each takes (n,) numbers of one of the four dtypes, or (n, columns); the sum of a column is
bit-identical to that of its numbers alone. Arguments are not checked, and an overflow may warn.

If an algorithm's running sums do not depend on its corrections, they are computed first, then all
corrections at once: the same operations as the loop in the paper, and therefore the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fpdrift.floats import format_of
from fpdrift.reduction._rounding import Floats, add_exact


def recursive(x: Floats) -> Any:
    """Add one after the other."""
    return np.add.accumulate(x)[-1]


def pairwise(x: Floats) -> Any:
    """Add neighbours, then neighbouring sums, and so on."""
    while len(x) > 1:
        paired = len(x) // 2 * 2
        x = np.concatenate([x[0:paired:2] + x[1:paired:2], x[paired:]])
    return x[0]


def kahan(x: Floats) -> Any:
    """Carry each rounding error into the next addition, which makes it a loop."""
    total = correction = x.dtype.type(0)
    for value in x:
        corrected = value - correction
        before, total = total, total + corrected
        correction = (total - before) - corrected
    return total


def neumaier(x: Floats) -> Any:
    """Add the rounding errors of the plain loop to its result."""
    sums, errors = _sums_and_errors(x)
    return sums[-1] + recursive(errors)


def klein(x: Floats) -> Any:
    """Add the rounding errors of the errors' sum as well."""
    sums, errors = _sums_and_errors(x)
    second, third = _sums_and_errors(errors)
    return (sums[-1] + second[-1]) + recursive(third)


def sum_k(x: Floats, k: int = 2) -> Any:
    """Sum as if in k-fold precision."""
    for _ in range(k - 1):
        x = _vec_sum(x)
    return x[-1] if len(x) == 1 else recursive(x[:-1]) + x[-1]


def double_double(x: Floats) -> Any:
    """Add pairwise in pairs of numbers, the second of which holds the first's rounding error."""
    high, low = x, np.zeros_like(x)
    while len(high) > 1:
        paired = len(high) // 2 * 2
        even, odd = slice(0, paired, 2), slice(1, paired, 2)
        new_high, new_low = _add_pairs(high[even], low[even], high[odd], low[odd])
        high = np.concatenate([new_high, high[paired:]])
        low = np.concatenate([new_low, low[paired:]])
    return high[0]


def exact(x: Floats) -> Any:
    """Add exactly and round once; a NaN result is always the same NaN."""
    total = add_exact(x, format_of(x.dtype))
    return np.where(np.isnan(total), x.dtype.type(np.nan), total)[()]


def _sums_and_errors(x: Floats) -> tuple[Floats, Floats]:
    """Return the running sums and the rounding error of each, by comparing sizes (Neumaier)."""
    sums = np.add.accumulate(x)
    before = np.concatenate([x[:1] * 0, sums[:-1]])
    keeps = np.abs(before) >= np.abs(x)
    larger, smaller = np.where(keeps, before, x), np.where(keeps, x, before)
    return sums, (larger - sums) + smaller


def _vec_sum(x: Floats) -> Floats:
    """Return all rounding errors of the plain loop, then its result (Algorithm 4.3, VecSum)."""
    sums = np.add.accumulate(x)
    return np.concatenate([_two_sum(sums[:-1], x[1:])[1], sums[-1:]])


def _two_sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return a + b rounded and its error (Knuth; Ogita, Rump and Oishi's Algorithm 3.1)."""
    total = a + b
    virtual = total - a
    return total, (a - (total - virtual)) + (b - virtual)


def _add_pairs(
    high: Floats, low: Floats, other_high: Floats, other_low: Floats
) -> tuple[Floats, Floats]:
    high, rest = _two_sum(high, other_high)
    low, last = _two_sum(low, other_low)
    high, rest = _fast_two_sum(high, rest + low)
    return _fast_two_sum(high, last + rest)


def _fast_two_sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return the same as `_two_sum` if a is not smaller than b (Dekker 1971)."""
    total = a + b
    return total, b - (total - a)
