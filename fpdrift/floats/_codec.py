"""Convert between a float, its bits, and its exact value.

The bits of a positive float, read as an integer, count the ulps from zero. Rounding, neighbours
and distances in this package all follow from that fact.
"""

from __future__ import annotations

import math
import numbers
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats._formats import Format

#: As a fraction, "1e999999999" would need a gigabyte.
_LARGEST_EXPONENT = 5000

#: Fractions take quadratic time; the longest number of any format has a tenth of these digits.
_MOST_DIGITS = 10_000
_MOST_BITS = 33_219

#: Types that `float` accepts although it discards a part: truth value, imaginary part, unit, text.
_NOT_REAL = (bool, np.bool, np.complexfloating, np.timedelta64, bytes, bytearray)


def to_bits(x: Any, fmt: Format) -> int:
    """Return the bits of a scalar of the format as an unsigned integer."""
    return int(np.asarray(x, fmt.dtype).view(fmt.uint))


def from_bits(bits: int, fmt: Format) -> Any:
    """Return the NumPy scalar of the format that has these bits."""
    return np.array(bits, fmt.uint).view(fmt.dtype)[()]


def to_fraction(x: Any, fmt: Format) -> Fraction:
    """Return the exact value of a finite scalar of the format."""
    bits = to_bits(x, fmt)
    size = bits & ~fmt.sign_bit
    if size >= fmt.infinity_bits:
        message = f"{x} has no exact value; pass a finite number"
        raise FpdriftError(message)
    exponent, fraction = divmod(size, 1 << fmt.fraction_bits)
    if exponent:
        fraction += 1 << fmt.fraction_bits
    scale = max(exponent, 1) - 1 + fmt.quantum
    value = Fraction(fraction << scale) if scale >= 0 else Fraction(fraction, 1 << -scale)
    return -value if bits & fmt.sign_bit else value


def round_fraction(value: Fraction, fmt: Format) -> Any:
    """Round an exact number once, to nearest, ties to even (IEEE 754-2019, section 4.3.1).

    Returns
    -------
    numpy scalar
        Of the format; an infinity if the number is too large, plus zero for zero.
    """
    size = abs(value)
    if not size:
        return from_bits(0, fmt)
    exponent = max(floor_log2(size), fmt.emin)
    scale = exponent - fmt.fraction_bits
    ulps = round(size / Fraction(2) ** scale)
    # The sum carries into the exponent field by itself when ulps rounds up to a power of two.
    bits = ((exponent - fmt.emin) << fmt.fraction_bits) + ulps
    bits = min(bits, fmt.infinity_bits)
    return from_bits(bits | (fmt.sign_bit if value < 0 else 0), fmt)


def floor_log2(value: Fraction) -> int:
    """Return the exponent e with 2**e <= value < 2**(e+1), exactly."""
    e = value.numerator.bit_length() - value.denominator.bit_length()
    return e if value >= Fraction(2) ** e else e - 1


def exact(x: Any) -> Fraction | float:
    """Return the exact value of a number or of a string.

    Parameters
    ----------
    x : str, int, float, Fraction, Decimal or NumPy scalar
        A string is read as a decimal, or as a fraction such as ``"1/3"``.

    Returns
    -------
    Fraction or float
        The exact number; a float for an infinity, a NaN or a negative zero.

    Raises
    ------
    FpdriftError
        If it is not a real number, its exponent exceeds every format, or it has over 10,000 digits.
    """
    if isinstance(x, np.ndarray) and x.ndim == 0:
        x = x[()]
    try:
        if isinstance(x, _NOT_REAL):
            raise TypeError
        if isinstance(x, str | Decimal):
            return _exact_text(str(x))
        if isinstance(x, numbers.Rational):
            return _exact_ratio(int(x.numerator), int(x.denominator))
        if isinstance(x, np.longdouble) and x and np.isfinite(x):
            return Fraction(*x.as_integer_ratio())
        number = float(x)
    except (TypeError, ValueError, ArithmeticError):
        message = f"not a real number: {short_repr(x)}"
        raise FpdriftError(message) from None
    if not math.isfinite(number) or (number == 0 and math.copysign(1, number) < 0):
        return number
    return Fraction(number)


def _exact_ratio(numerator: int, denominator: int) -> Fraction:
    if max(numerator.bit_length(), denominator.bit_length()) > _MOST_BITS:
        message = f"a number of over {_MOST_DIGITS:,} digits; keep to that many"
        raise FpdriftError(message)
    return Fraction(numerator, denominator)


def _exact_text(text: str) -> Fraction | float:
    if len(text) > _MOST_DIGITS:
        message = f"{short_repr(text)} has {len(text):,} characters; keep to {_MOST_DIGITS:,}"
        raise FpdriftError(message)
    if "/" in text:
        return Fraction(text)
    decimal = Decimal(text)
    if not decimal.is_finite() or (decimal.is_zero() and decimal.is_signed()):
        return float(decimal)
    if not decimal.is_zero() and abs(decimal.adjusted()) > _LARGEST_EXPONENT:
        message = (
            f"{short_repr(text)} is outside the range of every format; "
            f"use an exponent from {-_LARGEST_EXPONENT} to {_LARGEST_EXPONENT}"
        )
        raise FpdriftError(message)
    return Fraction(decimal)


def round_to(x: Any, fmt: Format) -> Any:
    """Round any argument of `exact` once, to a scalar of the format.

    A scalar that already has the format's dtype keeps its bits, including a NaN's payload.
    """
    if isinstance(x, np.generic) and x.dtype == fmt.dtype:
        return x
    value = exact(x)
    if isinstance(value, Fraction):
        return round_fraction(value, fmt)
    return fmt.dtype.type(value)
