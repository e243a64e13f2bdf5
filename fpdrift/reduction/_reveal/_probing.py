"""Call the function under test with probes; count and check every call.

A probe holds a huge number at one index, its negative at another, and units elsewhere. Units that
are added to a huge number are rounded away; once the two have cancelled, later units count. The
pair of huge number and unit, the *mask*, has to work in every accumulator: 2**127 hides units from
float32, float64 and extended precision. float16 only spans 2**15 to 2**-24, which is enough to hide
up to 2**14 units from float32 but not from float64, in which such sums are exact.
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
from fpdrift.reduction._reveal._sum_adapter import SumAdapter
from fpdrift.reduction._rounding import Floats

#: After this many probes, and before each new set, the input is checked for modifications.
_UNCHECKED = 64


class ProbedFunction:
    """A function under test, called with one buffer whose alignment can be chosen.

    Parameters
    ----------
    function : callable
        Takes (n,) numbers of the format and returns a scalar; a `SumAdapter` may also multiply.
    n : int
    fmt : Format
    name : str
        Name for error messages.
    """

    def __init__(self, function: Callable[[Any], Any], n: int, fmt: Format, name: str) -> None:
        self.multiplies = isinstance(function, SumAdapter) and function.multiplies
        self.fmt = fmt
        self.name = name
        self.n = n
        self.calls = 0
        self.calls_left: float = np.inf  # calls that are still allowed
        self._scalar: type = fmt.dtype.type
        self._unchecked = 0
        self._call: Callable[[Any], Any] = function
        if isinstance(function, SumAdapter):
            add = function.function
            # The factors are looked up at each call, because moving the buffer replaces them.
            self._call = (lambda x: add(x, self._factors)) if self.multiplies else add
        self.move_to(0)

    def move_to(self, offset: int, factors_offset: int = 0) -> None:
        """Place numbers and factors at byte offsets from a multiple of 64."""
        self._buffer = aligned_zeros(self.n, self.fmt.dtype, offset)
        self._factors = aligned_zeros(self.n, self.fmt.dtype, factors_offset)
        self._factors[:] = np.ones(self.n, self.fmt.dtype)
        self._expected_bits = self._bits()

    def fill(self, values: Any, places: Any = slice(None)) -> None:
        """Set the buffer to the values at the indices, and to zero elsewhere."""
        if self._unchecked:
            self._check_input()
        if places != slice(None):
            self._buffer[:] = 0
        self._buffer[places] = values
        self._expected_bits = self._bits()

    def sums(self, rows: Iterable[Floats], factors: Iterable[Floats] | None = None) -> Floats:
        """Return the function's sums of some rows, (rows,), or of their products with factors."""
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
                raise self._as_fpdrift_error(error) from error
            self._check_input()
        if factors is not None:
            self._factors[:] = np.ones(self.n, self.fmt.dtype)
            self._expected_bits = self._bits()
        observed = np.array(sums, self.fmt.dtype)
        if not np.isfinite(observed).all():
            raise self._not_finite(observed)
        return observed

    def masked_sums(self, huge: Any, place: int, others: Sequence[int]) -> list[Any]:
        """Call once for each of the others: huge at the index, -huge at the other.

        Elsewhere the buffer keeps its values. Most of the time is spent here, so nothing is
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
                    # A lazy library computes here at the latest: the buffer still holds the probe.
                    sums.append(value if type(value) is scalar else self._read(value))
                    buffer[other] = unit
        except Exception as error:
            raise self._as_fpdrift_error(error) from error
        buffer[place] = before
        self._unchecked += len(others)
        if self._unchecked >= _UNCHECKED:
            self._check_input()
        return sums

    def _count(self, calls: int) -> None:
        self.calls_left -= calls
        if self.calls_left < 0:
            message = f"{self.name}: max_probes calls were not enough; raise max_probes or lower n"
            raise FpdriftError(message)
        self.calls += calls

    def _bits(self) -> bytes:
        """Return everything that the function could modify."""
        bits: bytes = self._buffer.tobytes()
        return bits + self._factors.tobytes() if self.multiplies else bits

    def _check_input(self) -> None:
        self._unchecked = 0
        if self._bits() != self._expected_bits:
            message = f"{self.name} modifies its input; let it work on a copy"
            raise FpdriftError(message)

    def _read(self, value: Any) -> Any:
        """Return the function's value as a scalar of the dtype, or raise FpdriftError."""
        if type(value) is self._scalar:
            return value
        if isinstance(value, float) and self.fmt.name == "float64":
            return np.float64(value)
        array = np.asarray(value)
        if array.ndim:
            message = (
                f"{self.name} returned an array of shape {array.shape}; let it return one number"
            )
            raise FpdriftError(message)
        if array.dtype != self.fmt.dtype:
            what = f"{array.dtype.name}, {short_repr(value)}"
            message = f"{self.name} returned {what}; let it return {self.fmt.name}"
            raise FpdriftError(message)
        return array[()]

    def _as_fpdrift_error(self, error: Exception) -> FpdriftError:
        if isinstance(error, FpdriftError):
            return error
        what = f"{type(error).__name__}: {short_repr(str(error))}"
        return FpdriftError(
            f"{self.name} raised {what}; it must add {self.n} {self.fmt.name} numbers"
        )

    def _not_finite(self, observed: Floats) -> FpdriftError:
        value = observed[~np.isfinite(observed)][0]
        what = f"{value} for finite numbers with a finite sum"
        return FpdriftError(
            f"{self.name} returned {what}; it must add the numbers and nothing else"
        )


@dataclass(frozen=True, slots=True)
class Mask:
    """A huge number, the unit that it hides, and the number of units that a probe may hold."""

    huge: float
    unit: float
    #: most units that the dtype can count and the huge number hides together
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
    most = 2 ** (fmt.precision - 3)  # division rounds: few enough to remain distinct
    if fmt.name != "float16":
        return Mask(huge, 1.0, most)
    unit = math.ldexp(1, fmt.quantum + 1 + math.ceil(math.log2(shares)))
    hidden = math.ldexp(1, fmt.emax - 25)  # half a float32 below 2**15
    if unit > hidden:
        message = f"float16 cannot count the units in a mean of {shares} numbers; use n up to 8192"
        raise FpdriftError(message)
    return Mask(huge, unit, min(most, int(hidden / unit)))
