"""A sum in bins: the same bits in every order, from any number of parts.

Split at fixed powers of two, 2**(32*j), each number has digits that depend on it alone. Digits of
one place are integers, and adding integers is exact in every order. Only the three highest places
in use are kept, and which these are depends on the largest number alone.

This is the idea of Demmel and Nguyen 2013, "Fast reproducible floating-point summation", ARITH 21,
and of Ahrens, Demmel and Nguyen 2020, "Algorithms for efficient reproducible floating point
summation", ACM Transactions on Mathematical Software 46(3), with truncated digits in integers
where they keep rounded ones in floats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from fpdrift.floats import format_of, round_fraction
from fpdrift.reduction.rounding import Floats
from fpdrift.results import Result

#: Bits of a place; even, so that a place has a whole square root.
WIDTH = 32
#: Places that are kept.
PLACES = 3
#: Below the last place of any number.
_NOWHERE = -100
#: Numbers to add at a time: few enough for the cache, and for their digits to add up exactly.
_BLOCK = 2**15


@dataclass(frozen=True, kw_only=True, slots=True)
class Bins(Result):
    """Sums of some numbers' digits; add the bins of other numbers with ``+``, in any order."""

    #: the highest place in use: digits there count 2**(32 * top)
    top: int = _NOWHERE
    #: (3,) sums of the digits at top, top - 1 and top - 2
    sums: tuple[int, ...] = (0,) * PLACES
    #: sum of the infinities and NaNs, 0.0 if there are none; each NaN is the same, since the sign
    #: and the digits of a sum of NaNs depend on the order
    endless: float = 0.0

    def __post_init__(self) -> None:
        if math.isnan(self.endless):
            object.__setattr__(self, "endless", math.nan)

    @classmethod
    def of(cls, values: Floats) -> Bins:
        """Put (n,) numbers into bins; their dtype is one of the four."""
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
            # In two steps: 2**(-32 * top) may be too large. What underflows lies below all places.
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
