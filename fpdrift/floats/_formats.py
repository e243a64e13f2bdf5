"""Define the four floating-point formats by their parameters.

The parameters are those of IEEE 754-2019, section 3.3; bfloat16 is float32 without its last 16
bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from fpdrift.errors import FpdriftError, short_repr


@dataclass(frozen=True, slots=True)
class Format:
    """A binary floating-point format."""

    name: str
    #: width in bits
    bits: int
    #: significand bits p, including the hidden bit
    precision: int
    #: largest exponent of a finite number
    emax: int
    dtype: np.dtype[Any]
    #: unsigned integer of the same width
    uint: np.dtype[Any]

    @property
    def emin(self) -> int:
        """Smallest exponent of a normal number."""
        return 1 - self.emax

    @property
    def quantum(self) -> int:
        """Exponent of the smallest subnormal: 2**quantum is the spacing at zero."""
        return self.emin - self.precision + 1

    @property
    def fraction_bits(self) -> int:
        """Stored significand bits."""
        return self.precision - 1

    @property
    def exponent_bits(self) -> int:
        """Stored exponent bits."""
        return self.bits - self.precision

    @property
    def infinity_bits(self) -> int:
        """Bits of plus infinity; greater magnitudes are NaN."""
        return ((1 << self.exponent_bits) - 1) << self.fraction_bits

    @property
    def sign_bit(self) -> int:
        """The mask of the sign."""
        return 1 << (self.bits - 1)


def _format(name: str, precision: int, emax: int, dtype: Any, uint: str) -> Format:
    dtype = np.dtype(dtype)
    return Format(name, dtype.itemsize * 8, precision, emax, dtype, np.dtype(uint))


FORMATS: dict[str, Format] = {
    "float16": _format("float16", 11, 15, np.float16, "uint16"),
    "bfloat16": _format("bfloat16", 8, 127, ml_dtypes.bfloat16, "uint16"),
    "float32": _format("float32", 24, 127, np.float32, "uint32"),
    "float64": _format("float64", 53, 1023, np.float64, "uint64"),
}


def format_of(dtype: Any) -> Format:
    """Return the format of a name or dtype.

    Parameters
    ----------
    dtype : str or numpy.dtype or type
        ``"float16"``, ``"bfloat16"``, ``"float32"``, ``"float64"``, or what NumPy reads as one.

    Raises
    ------
    FpdriftError
        If it is not one of the four.
    """
    if isinstance(dtype, str) and dtype in FORMATS:
        return FORMATS[dtype]
    try:
        if dtype is None:  # NumPy would read it as float64
            raise TypeError
        return FORMATS[np.dtype(dtype).name]
    except (KeyError, TypeError, ValueError, SyntaxError):  # NumPy raises all of them
        message = f"unknown dtype {short_repr(dtype)}; choose one of {', '.join(FORMATS)}"
        raise FpdriftError(message) from None
