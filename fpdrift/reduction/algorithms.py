"""Sum (n,) numbers of one dtype by methods from the plain loop to the exact sum.

All methods work in float16, bfloat16, float32 and float64, round in the dtype of the numbers, and
return a scalar of it. Their error bounds are in `fpdrift.reduction.error_bounds` and hold barring
overflow. The arithmetic is that of `fpdrift.reduction.columnwise`.

The reproducible sum uses bins and gives the same bits in every order, from any number of parts.
Split at fixed powers of two, 2**(32*j), each number has digits that depend on it alone. The digits
at one position are integers, and adding integers is exact in every order. Only the three highest
positions in use are kept, and these depend on the largest number alone.

This is the idea of Demmel and Nguyen 2013, "Fast reproducible floating-point summation", ARITH 21,
and of Ahrens, Demmel and Nguyen 2020, "Algorithms for efficient reproducible floating point
summation", ACM Transactions on Mathematical Software 46(3), but with truncated digits in integers
instead of rounded ones in floats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats import FORMATS, format_of, round_fraction
from fpdrift.reduction import columnwise
from fpdrift.reduction._rounding import Floats
from fpdrift.serialization import Result
from fpdrift.validation import check_int

#: Bits per position; even, so that the square root of a position's weight is a power of two.
WIDTH = 32
#: Number of positions that are kept.
PLACES = 3
#: Below the last position of any number.
_NOWHERE = -100
#: Numbers added at a time: few enough for the cache, and for their digits to add exactly.
_BLOCK = 2**15


@dataclass(frozen=True, kw_only=True, slots=True)
class Bins(Result):
    """Sums of the digits of numbers; add the bins of other numbers with ``+``, in any order."""

    #: the highest position in use, with the weight 2**(32 * top)
    top: int = _NOWHERE
    #: (3,) sums of the digits at top, top - 1 and top - 2
    sums: tuple[int, ...] = (0,) * PLACES
    #: sum of the infinities and NaNs, 0.0 if there are none; all NaNs are made equal, since the
    #: sign and the digits of a sum of NaNs depend on the order
    endless: float = 0.0

    def __post_init__(self) -> None:
        if math.isnan(self.endless):
            object.__setattr__(self, "endless", math.nan)

    @classmethod
    def of(cls, values: Floats) -> Bins:
        """Return the bins of (n,) numbers of one of the four dtypes."""
        blocks = (values[i : i + _BLOCK] for i in range(0, len(values), _BLOCK))
        return sum(map(cls._of_block, blocks), cls())

    @classmethod
    def _of_block(cls, values: Floats) -> Bins:
        endless = 0.0
        with np.errstate(all="ignore"):
            rest = values.astype(np.float64)
            largest = float(np.abs(rest).max(initial=0))
            if not math.isfinite(largest):
                finite = np.isfinite(rest)
                endless = float(rest[~finite].sum())
                rest = rest[finite]
                largest = float(np.abs(rest).max(initial=0))
            if not largest:
                return cls(endless=endless)
            top = (math.frexp(largest)[1] - 1) // WIDTH
            # In two steps: 2**(-32 * top) may overflow. Whatever underflows is below all positions.
            half = math.ldexp(1, -WIDTH * top // 2)
            rest = rest * half * half
            sums = []
            for _ in range(PLACES):
                digits = np.trunc(rest)
                sums.append(int(digits.sum()))  # exact: 2**15 integers below 2**32
                rest = (rest - digits) * 2.0**WIDTH
        return cls(top=top, sums=tuple(sums), endless=endless)

    def __add__(self, other: Bins) -> Bins:
        high, low = (self, other) if self.top >= other.top else (other, self)
        moved = ((0,) * min(high.top - low.top, PLACES) + low.sums)[:PLACES]
        sums = tuple(a + b for a, b in zip(high.sums, moved, strict=True))
        return Bins(top=high.top, sums=sums, endless=self.endless + other.endless)

    def total(self, dtype: Any) -> Any:
        """Round the sum once to a dtype.

        Returns
        -------
        numpy scalar
            Of the dtype.
        """
        fmt = format_of(dtype)
        if self.endless:
            return fmt.dtype.type(self.endless)
        places = (Fraction(2) ** (WIDTH * (self.top - k)) for k in range(PLACES))
        exact = sum((a * b for a, b in zip(self.sums, places, strict=True)), Fraction(0))
        return round_fraction(exact, fmt)

    def __repr__(self) -> str:
        size = math.fsum(math.ldexp(s, WIDTH * (self.top - k)) for k, s in enumerate(self.sums))
        return f"Bins({self.endless + size})"


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
    """Add the rounding errors of the errors' sum as well.

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
    x, k = _numbers(values), check_int("k", k, 2, 100)
    with np.errstate(all="ignore"):
        return columnwise.sum_k(x, k)


def double_double_sum(values: Any) -> Any:
    """Add pairwise in pairs of numbers, the second of which holds the rounding error of the first.

    Joldes, Muller and Popescu 2017, "Tight and rigorous error bounds for basic building blocks of
    double-word arithmetic", ACM Transactions on Mathematical Software 44(2): Algorithm 6.
    """
    x = _numbers(values)
    with np.errstate(all="ignore"):
        return columnwise.double_double(x)


def exact_sum(values: Any) -> Any:
    """Add exactly and round once, to nearest (`math.fsum`, Shewchuk 1997).

    A NaN result is always the same NaN, whatever the NaNs among the numbers and their order.
    """
    return columnwise.exact(_numbers(values))


def reproducible_sum(values: Any) -> Any:
    """Sum with bits that depend neither on the order nor on how the numbers are split.

    `fpdrift.reduction.Bins` describes the method, and adds sums made in parts.
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
        message = f"values is {short_repr(values)}; pass a 1-D array of at least one float"
        raise FpdriftError(message)
    return x
