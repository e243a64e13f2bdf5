"""Calls of a black box: counted, and checked each time.

Which huge number hides units, in a dtype and in whatever it may be added in.

A probe holds the huge number at one place, its negative at another, and units elsewhere. Where a
huge number goes, the units on its way are rounded away; once both have met, later units count. A
mask has to do that in each accumulator: 2**127 hides units from float32, float64 and extended
precision. float16 reaches only from 2**15 to 2**-24, which is enough to hide up to 2**14 units from
float32, and too little for float64, where such sums are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from fpdrift.backends.devices import aligned_zeros
from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats import Format
from fpdrift.reduction._reveal._box import AsSum
from fpdrift.reduction._rounding import Floats

#: A box that alters its input is found out after so many probes at the latest (with the next set).
_UNCHECKED = 64


class BlackBox:
    """A function under question; its calls go through one buffer, whose alignment is chosen.

    Parameters
    ----------
    function : callable
        Takes (n,) numbers of the format and returns a scalar of it; an `AsSum` may multiply, too.
    n : int
    fmt : Format
    name : str
        For errors.
    """

    def __init__(self, function: Callable[[Any], Any], n: int, fmt: Format, name: str) -> None:
        self.multiplies = isinstance(function, AsSum) and function.multiplies
        self.fmt = fmt
        self.name = name
        self.n = n
        self.calls = 0
        self.left: float = np.inf  # calls that are still allowed
        self._scalar: type = fmt.dtype.type
        self._unchecked = 0
        self._call: Callable[[Any], Any] = function
        if isinstance(function, AsSum):
            add = function.function
            # The factors are looked up at each call: placing makes new ones.
            self._call = (lambda x: add(x, self._factors)) if self.multiplies else add
        self.place(0)

    def place(self, offset: int, factors_offset: int = 0) -> None:
        """Let the numbers start so many bytes after a multiple of 64, and so the factors."""
        self._buffer = aligned_zeros(self.n, self.fmt.dtype, offset)
        self._factors = aligned_zeros(self.n, self.fmt.dtype, factors_offset)
        self._factors[:] = np.ones(self.n, self.fmt.dtype)
        self._kept = self._bits()

    def fill(self, values: Any, places: Any = slice(None)) -> None:
        """Set the buffer to zeros, and to the values at the places."""
        if self._unchecked:
            self._check_input()
        if places != slice(None):
            self._buffer[:] = 0
        self._buffer[places] = values
        self._kept = self._bits()

    def sums(self, rows: Iterable[Floats], factors: Iterable[Floats] | None = None) -> Floats:
        """Return the box's sums of some rows, (rows,), or of their products with factors."""
        sums = []
        for row, factor in zip(rows, repeat(None) if factors is None else factors, strict=False):
            if factor is not None:
                self._factors[:] = factor
            self.fill(row)
            self._count(1)
            try:
                with np.errstate(all="ignore"):
                    sums.append(self._read(self._call(self._buffer)))
            except Exception as error:
                raise self._explained(error) from error
            self._check_input()
        if factors is not None:
            self._factors[:] = np.ones(self.n, self.fmt.dtype)
            self._kept = self._bits()
        given = np.array(sums, self.fmt.dtype)
        if not np.isfinite(given).all():
            raise self._not_finite(given)
        return given

    def masked(self, huge: Any, place: int, others: Sequence[int]) -> list[Any]:
        """Ask once for each of the others: huge at the place, -huge at the other.

        Elsewhere the buffer stays as it was filled. This is where the time goes, so nothing is
        checked twice and no array is made.
        """
        self._count(len(others))
        buffer, function, scalar, minus = self._buffer, self._call, self._scalar, -huge
        before = buffer[place]
        sums = []
        buffer[place] = huge
        try:
            with np.errstate(all="ignore"):
                for other in others:
                    unit = buffer[other]
                    buffer[other] = minus
                    value = function(buffer)
                    # A lazy library computes here, at the latest: the buffer still holds the probe.
                    sums.append(value if type(value) is scalar else self._read(value))
                    buffer[other] = unit
        except Exception as error:
            raise self._explained(error) from error
        buffer[place] = before
        self._unchecked += len(others)
        if self._unchecked >= _UNCHECKED:
            self._check_input()
        return sums

    def _count(self, calls: int) -> None:
        self.left -= calls
        if self.left < 0:
            message = f"{self.name}: the probes allowed are used up; raise max_probes, or lower n"
            raise FpdriftError(message)
        self.calls += calls

    def _bits(self) -> bytes:
        """Return what the box could alter."""
        bits: bytes = self._buffer.tobytes()
        return bits + self._factors.tobytes() if self.multiplies else bits

    def _check_input(self) -> None:
        self._unchecked = 0
        if self._bits() != self._kept:
            message = f"{self.name} alters its input; let it work on a copy of it"
            raise FpdriftError(message)

    def _read(self, value: Any) -> Any:
        """Make a scalar of the dtype of what the box returned, or say what is wrong with it."""
        if type(value) is self._scalar:
            return value
        if isinstance(value, float) and self.fmt.name == "float64":
            return np.float64(value)
        array = np.asarray(value)
        if array.ndim:
            message = f"{self.name} returned the shape {array.shape}; let it return one number"
            raise FpdriftError(message)
        if array.dtype != self.fmt.dtype:
            what = f"{array.dtype.name}, {short_repr(value)}"
            message = f"{self.name} returned {what}; let it return {self.fmt.name}"
            raise FpdriftError(message)
        return array[()]

    def _explained(self, error: Exception) -> FpdriftError:
        if isinstance(error, FpdriftError):
            return error
        what = f"{type(error).__name__}: {short_repr(str(error))}"
        return FpdriftError(f"{self.name} raised {what}; it has to add {self.n} {self.fmt.name}")

    def _not_finite(self, given: Floats) -> FpdriftError:
        value = given[~np.isfinite(given)][0]
        what = f"{value} for finite numbers with a finite sum"
        return FpdriftError(f"{self.name} returned {what}; it has to add all of them, and no more")


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
