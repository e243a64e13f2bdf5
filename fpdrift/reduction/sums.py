"""Ways of summing, from the plain loop to the exact sum; each takes (n,) numbers of one dtype.

All work in float16, bfloat16, float32 and float64, round in the numbers' dtype, and give a scalar
of it. Their error bounds are in `fpdrift.reduction.bounds`; these hold where nothing overflows.
The arithmetic is that of `fpdrift.reduction.columnwise`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fpdrift.checks import whole
from fpdrift.errors import FpdriftError, shown
from fpdrift.floats import FORMATS
from fpdrift.reduction import columnwise
from fpdrift.reduction.bins import Bins
from fpdrift.reduction.rounding import Floats


def recursive_sum(values: Any) -> Any:
    """Add one after the other (Higham 2002, *Accuracy and Stability*, Algorithm 4.1)."""
    x = _numbers(values)
    with np.errstate(all="ignore"):
        return columnwise.recursive(x)


def pairwise_sum(values: Any) -> Any:
    """Add neighbours, then neighbouring sums, and so on (Higham 2002, section 4.1)."""
    x = _numbers(values)
    with np.errstate(all="ignore"):
        return columnwise.pairwise(x)


def kahan_sum(values: Any) -> Any:
    """Carry each rounding error into the next addition.

    Kahan 1965, "Further remarks on reducing truncation errors", Communications of the ACM 8(1);
    Higham 2002, Algorithm 4.2. Each correction changes the next sum, so this one is a loop.
    """
    x = _numbers(values)
    with np.errstate(all="ignore"):
        return columnwise.kahan(x)


def neumaier_sum(values: Any) -> Any:
    """Add the rounding errors of the plain loop to its result.

    Neumaier 1974, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen",
    Zeitschrift für Angewandte Mathematik und Mechanik 54: the improved Kahan-Babuska algorithm.
    """
    x = _numbers(values)
    with np.errstate(all="ignore"):
        return columnwise.neumaier(x)


def klein_sum(values: Any) -> Any:
    """Add the errors of the errors' sum, too.

    Klein 2006, "A generalized Kahan-Babuska-summation-algorithm", Computing 76: the iterative
    algorithm of second order.
    """
    x = _numbers(values)
    with np.errstate(all="ignore"):
        return columnwise.klein(x)


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
    x, k = _numbers(values), whole("k", k, 2, 100)
    with np.errstate(all="ignore"):
        return columnwise.sum_k(x, k)


def double_double_sum(values: Any) -> Any:
    """Add pairwise in pairs of numbers, the second holding what the first rounds away.

    Joldes, Muller and Popescu 2017, "Tight and rigorous error bounds for basic building blocks of
    double-word arithmetic", ACM Transactions on Mathematical Software 44(2): Algorithm 6.
    """
    x = _numbers(values)
    with np.errstate(all="ignore"):
        return columnwise.double_double(x)


def exact_sum(values: Any) -> Any:
    """Add exactly and round once, to nearest (`math.fsum`, Shewchuk 1997).

    A NaN is the same one whatever NaNs there were, and in whatever order.
    """
    return columnwise.exact(_numbers(values))


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
