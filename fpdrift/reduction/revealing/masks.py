"""Which huge number hides units, in a dtype and in whatever it may be added in.

A probe holds the huge number at one place, its negative at another, and units elsewhere. Where a
huge number goes, the units on its way are rounded away; once both have met, later units count. A
mask has to do that in each accumulator: 2**127 hides units from float32, float64 and extended
precision. float16 reaches only from 2**15 to 2**-24, which is enough to hide up to 2**14 units from
float32, and too little for float64, where such sums are exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fpdrift.errors import FpdriftError
from fpdrift.floats import Format


@dataclass(frozen=True, slots=True)
class Mask:
    """A huge number, the unit that it hides, and how many units a probe may hold."""

    huge: float
    unit: float
    #: so many can be counted in the dtype, and are hidden together
    most: int


def mask_of(fmt: Format, shares: int = 1) -> Mask:
    """Choose the mask for sums of a format, or for sums that are divided by `shares`.

    Raises
    ------
    FpdriftError
        If no unit of the format is large enough to be counted after the division.
    """
    huge = math.ldexp(1, fmt.emax)
    if shares == 1:
        unit = math.ldexp(1, fmt.quantum) if fmt.name == "float16" else 1.0
        return Mask(huge, unit, 2**fmt.precision)
    most = 2 ** (fmt.precision - 3)  # dividing rounds: so few that they can be told all the same
    if fmt.name != "float16":
        return Mask(huge, 1.0, most)
    unit = math.ldexp(1, fmt.quantum + 1 + math.ceil(math.log2(shares)))
    hidden = math.ldexp(1, fmt.emax - 25)  # half a float32 below 2**15
    if unit > hidden:
        message = f"the mean of {shares} numbers hides what float16 could count; take n up to 8192"
        raise FpdriftError(message)
    return Mask(huge, unit, min(most, int(hidden / unit)))
