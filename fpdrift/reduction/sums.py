"""Ways of summing, from the plain loop to the exact sum; each takes (n,) numbers of one dtype.

All work in float16, bfloat16, float32 and float64, round in the numbers' dtype, and give a scalar
of it. Their error bounds are in `fpdrift.reduction.bounds`; these hold where nothing overflows.
Where an algorithm's running sums do not depend on its corrections, they are taken first and all
corrections at once: the same operations, so the same bits as the loop in the paper.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fpdrift.checks import whole
from fpdrift.errors import FpdriftError, shown
from fpdrift.floats import FORMATS, format_of
from fpdrift.reduction.bins import Bins
from fpdrift.reduction.multiterm import add_exact
from fpdrift.reduction.rounding import Floats


def recursive_sum(values: Any) -> Any:
    """Add one after the other (Higham 2002, *Accuracy and Stability*, Algorithm 4.1)."""
    return _last_partial(_numbers(values))


def pairwise_sum(values: Any) -> Any:
    """Add neighbours, then neighbouring sums, and so on (Higham 2002, section 4.1)."""
    x = _numbers(values)
    with np.errstate(all="ignore"):
        while len(x) > 1:
            paired = len(x) // 2 * 2
            x = np.concatenate([x[0:paired:2] + x[1:paired:2], x[paired:]])
    return x[0]


def kahan_sum(values: Any) -> Any:
    """Carry each rounding error into the next addition.

    Kahan 1965, "Further remarks on reducing truncation errors", Communications of the ACM 8(1);
    Higham 2002, Algorithm 4.2. Each correction changes the next sum, so this one is a loop.
    """
    x = _numbers(values)
    total = correction = x.dtype.type(0)
    with np.errstate(all="ignore"):
        for value in x:
            corrected = value - correction
            before, total = total, total + corrected
            correction = (total - before) - corrected
    return total


def neumaier_sum(values: Any) -> Any:
    """Add the rounding errors of the plain loop to its result.

    Neumaier 1974, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen",
    Zeitschrift für Angewandte Mathematik und Mechanik 54: the improved Kahan-Babuska algorithm.
    """
    x = _numbers(values)
    with np.errstate(all="ignore"):
        sums, errors = _sums_and_errors(x)
        return sums[-1] + _last_partial(errors)


def klein_sum(values: Any) -> Any:
    """Add the errors of the errors' sum, too.

    Klein 2006, "A generalized Kahan-Babuska-summation-algorithm", Computing 76: the iterative
    algorithm of second order.
    """
    x = _numbers(values)
    with np.errstate(all="ignore"):
        sums, errors = _sums_and_errors(x)
        second, third = _sums_and_errors(errors)
        return (sums[-1] + second[-1]) + _last_partial(third)


def sum_k(values: Any, k: int = 2) -> Any:
    """Sum as if in k-fold precision.

    Ogita, Rump and Oishi 2005, "Accurate sum and dot product", SIAM Journal on Scientific
    Computing 26(6): Algorithm 4.8 (SumK), which for k = 2 is Algorithm 4.4 (Sum2).

    Parameters
    ----------
    values : array_like
        (n,) numbers.
    k : int, default 2
        2 to 100.
    """
    x = _numbers(values)
    with np.errstate(all="ignore"):
        for _ in range(whole("k", k, 2, 100) - 1):
            x = _distilled(x)
        return x[-1] if len(x) == 1 else _last_partial(x[:-1]) + x[-1]


def double_double_sum(values: Any) -> Any:
    """Add pairwise in pairs of numbers, the second holding what the first rounds away.

    Joldes, Muller and Popescu 2017, "Tight and rigorous error bounds for basic building blocks of
    double-word arithmetic", ACM Transactions on Mathematical Software 44(2): Algorithm 6.
    """
    high = _numbers(values)
    low = np.zeros_like(high)
    with np.errstate(all="ignore"):
        while len(high) > 1:
            paired = len(high) // 2 * 2
            even, odd = slice(0, paired, 2), slice(1, paired, 2)
            new_high, new_low = _add_pairs(high[even], low[even], high[odd], low[odd])
            high = np.concatenate([new_high, high[paired:]])
            low = np.concatenate([new_low, low[paired:]])
    return high[0]


def exact_sum(values: Any) -> Any:
    """Add exactly and round once, to nearest (`math.fsum`, Shewchuk 1997).

    A NaN is the same one whatever NaNs there were, and in whatever order.
    """
    x = _numbers(values)
    total = add_exact(x[:, None], format_of(x.dtype))[0]
    return x.dtype.type(np.nan) if np.isnan(total) else total


def reproducible_sum(values: Any) -> Any:
    """Sum with bits that depend neither on the order nor on how the numbers are split.

    `fpdrift.reduction.Bins` tells how, and sums that are made in parts.
    """
    x = _numbers(values)
    return Bins.of(x).total(x.dtype)


def _numbers(values: Any) -> Floats:
    try:
        x = np.asarray(values)
        fits = x.dtype.name in FORMATS and x.ndim == 1 and len(x) > 0
    except (TypeError, ValueError):
        fits = False
    if not fits:
        message = f"values is {shown(values)}; give a flat array of one float number or more"
        raise FpdriftError(message)
    return x


def _last_partial(x: Floats) -> Any:
    with np.errstate(all="ignore"):
        return np.add.accumulate(x)[-1]


def _sums_and_errors(x: Floats) -> tuple[Floats, Floats]:
    """Give the running sums and the rounding error of each, by comparing sizes (Neumaier)."""
    sums = np.add.accumulate(x)
    before = np.concatenate([x[:1] * 0, sums[:-1]])
    larger = np.where(np.abs(before) >= np.abs(x), before, x)
    smaller = np.where(np.abs(before) >= np.abs(x), x, before)
    return sums, (larger - sums) + smaller


def _distilled(x: Floats) -> Floats:
    """Give all rounding errors of the plain loop, then its result (Algorithm 4.3, VecSum)."""
    sums = np.add.accumulate(x)
    return np.concatenate([_two_sum(sums[:-1], x[1:])[1], sums[-1:]])


def _two_sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Give a + b rounded, and what is missing (Knuth; Ogita, Rump and Oishi's Algorithm 3.1)."""
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
    """As `_two_sum` where a is not smaller than b (Dekker 1971)."""
    total = a + b
    return total, b - (total - a)
