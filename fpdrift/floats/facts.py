"""What there is to say of one float, in words: for a screen, a widget and a page alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fpdrift.errors import FpdriftError, shown
from fpdrift.floats.convert import from_bits, to_bits
from fpdrift.floats.dissect import Anatomy, anatomy
from fpdrift.floats.formats import format_of

#: Letter of a bit -> what it belongs to.
FIELDS = {"s": "sign", "e": "exponent", "f": "fraction"}


def letters(of: Anatomy) -> str:
    """Give the letter of each bit's field, sign first: ``"seeeeeeeefff..."``."""
    widths = len(of.sign_bits), len(of.exponent_bits), len(of.significand_bits)
    return "".join(letter * width for letter, width in zip(FIELDS, widths, strict=True))


def facts(of: Anatomy) -> dict[str, str]:
    """Say what a float stands for and what lies beside it; ulp and formula where it is finite."""
    said = {"value": f"{of.value!s} ({of.kind})", "exact": of.decimal}
    if of.ulp is not None:
        sign = "-" if of.sign else ""
        said["formula"] = f"{sign}{of.significand} * 2**{of.exponent}"
        said["ulp"] = f"2**{of.exponent} = {float(of.ulp):.6g}"
    said["below"], said["above"] = ("none" if x is None else str(x) for x in (of.below, of.above))
    return said


def float_lines(of: Anatomy) -> Iterator[str]:
    """Give the same as lines of text, under the bits and their letters."""
    width = 1, len(of.exponent_bits), len(of.significand_bits)
    yield " ".join(letter * n for letter, n in zip(FIELDS, width, strict=True))
    yield f"{of.sign_bits} {of.exponent_bits} {of.significand_bits}"
    for name, said in facts(of).items():
        yield f"{name:8} {said}"


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
        message = f"no bit {shown(place)} in {of.dtype}; choose 0 to {fmt.bits - 1}"
        raise FpdriftError(message)
    bits: Any = to_bits(of.value, fmt) ^ (1 << (fmt.bits - 1 - place))
    return anatomy(from_bits(bits, fmt), fmt.name)
