"""Decompose a float into its bits, its exact value and its neighbours, and describe it in words.

The description is shared by the command line, the widgets and the web page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, Literal

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats._codec import from_bits, round_to, to_bits, to_fraction
from fpdrift.floats._formats import Format, format_of
from fpdrift.floats._ulps import from_ordinal, ordinal
from fpdrift.serialization import Result

Kind = Literal["normal", "subnormal", "zero", "infinite", "nan"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Anatomy(Result):
    """The parts of a float; its exact value is ``(-1)**sign * significand * 2**exponent``."""

    dtype: str
    #: the float, a NumPy scalar of the dtype
    value: Any
    kind: Kind
    #: 0 or 1
    sign: int
    #: stored exponent field, 0 to 2**w - 1
    biased_exponent: int
    #: power of two that one unit of the significand stands for (None: infinite or NaN)
    exponent: int | None
    #: integer significand, including the hidden bit (for infinite and NaN the stored field)
    significand: int
    #: the three fields as strings of 0 and 1: 1, w and p - 1 characters
    sign_bits: str
    exponent_bits: str
    significand_bits: str
    #: exact value (None: infinite or NaN)
    exact: Fraction | None
    #: exact value with every decimal digit, or "inf", "-inf", "nan"
    decimal: str
    #: spacing of the floats in this binade, away from zero (None: infinite or NaN)
    ulp: Fraction | None
    #: next float towards minus and plus infinity (None: NaN, or past an infinity)
    below: Any
    above: Any

    @property
    def bits(self) -> str:
        """All bits, sign first."""
        return self.sign_bits + self.exponent_bits + self.significand_bits

    def __repr__(self) -> str:
        fields = f"{self.sign_bits} {self.exponent_bits} {self.significand_bits}"
        return f"Anatomy({self.dtype} {self.value!s}, {self.kind}, {fields})"


def anatomy(x: Any, dtype: Any = "float64") -> Anatomy:
    """Return the bits, exact value and neighbours of the float nearest to `x`.

    Parameters
    ----------
    x : str, int, float, Fraction, Decimal or NumPy scalar
        Read exactly, then rounded once to `dtype` (to nearest, ties to even).
    dtype : str or numpy.dtype, default "float64"
        ``"float16"``, ``"bfloat16"``, ``"float32"`` or ``"float64"``.

    Returns
    -------
    Anatomy
        Sign, exponent and significand, exact value, ulp, neighbours and class.

    Raises
    ------
    FpdriftError
        If `x` is not a real number or `dtype` is not one of the four.

    Examples
    --------
    >>> import fpdrift
    >>> fpdrift.anatomy("0.1", "float16").decimal
    '0.0999755859375'
    """
    fmt = format_of(dtype)
    value = round_to(x, fmt)
    bits = to_bits(value, fmt)
    text = f"{bits:0{fmt.bits}b}"
    biased, field = divmod(bits & ~fmt.sign_bit, 1 << fmt.fraction_bits)
    kind = _kind(biased, field, fmt)
    finite = kind not in ("infinite", "nan")
    exponent = max(biased, 1) - 1 + fmt.quantum if finite else None
    number = to_fraction(value, fmt) if finite else None
    below, above = (None, None) if kind == "nan" else _neighbours(value, fmt)
    return Anatomy(
        dtype=fmt.name,
        value=value,
        kind=kind,
        sign=bits >> (fmt.bits - 1),
        biased_exponent=biased,
        exponent=exponent,
        significand=field + (1 << fmt.fraction_bits if kind == "normal" else 0),
        sign_bits=text[0],
        exponent_bits=text[1 : 1 + fmt.exponent_bits],
        significand_bits=text[1 + fmt.exponent_bits :],
        exact=number,
        decimal=str(value) if number is None else full_decimal(number, negative=text[0] == "1"),
        ulp=None if exponent is None else Fraction(2) ** exponent,
        below=below,
        above=above,
    )


def full_decimal(value: Fraction, *, negative: bool = False) -> str:
    """Format a dyadic fraction with all its decimal digits; `negative` keeps the sign of a zero."""
    digits = len(str(abs(value.numerator))) + value.denominator.bit_length()
    quotient = Context(prec=digits).divide(Decimal(value.numerator), Decimal(value.denominator))
    text = format(quotient, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "-0" if not value and negative else text


def _kind(biased: int, field: int, fmt: Format) -> Kind:
    if biased == (1 << fmt.exponent_bits) - 1:
        return "nan" if field else "infinite"
    if biased == 0:
        return "subnormal" if field else "zero"
    return "normal"


def _neighbours(value: Any, fmt: Format) -> tuple[Any, Any]:
    """Return the next floats down and up; a step to zero keeps the sign (IEEE 754-2019, 5.3.1)."""
    here = ordinal(value, fmt)
    last = fmt.infinity_bits
    below = from_ordinal(here - 1, fmt) if here > -last else None
    above = from_ordinal(here + 1, fmt) if here < last else None
    if here == -1:
        above = from_bits(fmt.sign_bit, fmt)
    return below, above


#: Letter of a bit -> the field it belongs to.
FIELDS = {"s": "sign", "e": "exponent", "f": "fraction"}


def letters(of: Anatomy) -> str:
    """Return the letter of each bit's field, sign first: ``"seeeeeeeefff..."``."""
    widths = len(of.sign_bits), len(of.exponent_bits), len(of.significand_bits)
    return "".join(letter * width for letter, width in zip(FIELDS, widths, strict=True))


def facts(of: Anatomy) -> dict[str, str]:
    """Describe a float's value and neighbours; if it is finite, its formula and ulp too."""
    description = {"value": f"{of.value!s} ({of.kind})", "exact": of.decimal}
    if of.ulp is not None:
        sign = "-" if of.sign else ""
        description["formula"] = f"{sign}{of.significand} * 2**{of.exponent}"
        description["ulp"] = f"2**{of.exponent} = {float(of.ulp):.6g}"
    description["below"], description["above"] = (
        "none" if x is None else str(x) for x in (of.below, of.above)
    )
    return description


def float_lines(of: Anatomy) -> Iterator[str]:
    """Yield the bits under their letters, then the facts, as lines of text."""
    width = 1, len(of.exponent_bits), len(of.significand_bits)
    yield " ".join(letter * n for letter, n in zip(FIELDS, width, strict=True))
    yield f"{of.sign_bits} {of.exponent_bits} {of.significand_bits}"
    for name, text in facts(of).items():
        yield f"{name:8} {text}"


def flipped(of: Anatomy, place: int) -> Anatomy:
    """Flip one bit of a float.

    Parameters
    ----------
    of : Anatomy
    place : int
        0 is the sign, then the exponent from its highest bit, then the fraction.

    Raises
    ------
    FpdriftError
        If there is no such bit.
    """
    fmt = format_of(of.dtype)
    if type(place) is not int or not 0 <= place < fmt.bits:
        message = f"no bit {short_repr(place)} in {of.dtype}; choose 0 to {fmt.bits - 1}"
        raise FpdriftError(message)
    bits: Any = to_bits(of.value, fmt) ^ (1 << (fmt.bits - 1 - place))
    return anatomy(from_bits(bits, fmt), fmt.name)
