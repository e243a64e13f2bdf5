"""Round arrays once, and add several terms with a single rounding, as matrix units do.

A multi-term adder is either exact or aligns and truncates its terms. Both kinds take the terms
along the first axis and return the sums over it.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS, Format, bits_of, round_fraction

Floats = npt.NDArray[Any]


def round_array(values: Floats, fmt: Format) -> Floats:
    """Round each number once, to nearest, ties to even.

    The cast from float64 to bfloat16 goes through float32 and so rounds twice. Rounding to odd in
    between makes the second rounding correct (Boldo and Melquiond 2008, "Emulation of FMA and
    correctly rounded sums: proved algorithms using rounding to odd", IEEE Trans. Computers 57).
    """
    with np.errstate(all="ignore"):
        if fmt.name == "bfloat16" and values.dtype == np.float64:
            near = values.astype(np.float32)
            values = to_odd(near, values - near)
        return values.astype(fmt.dtype)


def to_odd(near: Floats, rest: Floats) -> Floats:
    """Return `near` with odd last bits where `rest` is not zero, moved towards its `rest`."""
    even = bits_of(near) % 2 == 0
    towards = np.copysign(near.dtype.type(np.inf), rest).astype(near.dtype)
    moved = even & (np.abs(rest) > 0)  # neither for zero nor for NaN
    return np.where(moved, np.nextafter(near, towards), near)


def add_exact(terms: Floats, fmt: Format) -> Floats:
    """Add exactly and round once to the format.

    `math.fsum` rounds to float64. For a narrower format that would be one rounding too many, so the
    float64 sum is rounded to odd, after which the next rounding is correct.
    """
    wide = terms.astype(np.float64)
    rows = np.moveaxis(wide, 0, -1)
    flat = rows.reshape(-1, rows.shape[-1]).tolist()
    total = np.array([_fsum(row) for row in flat])
    if fmt.name != "float64":
        rest = [_fsum([*row, -near]) for row, near in zip(flat, total.tolist(), strict=True)]
        total = to_odd(total, np.array(rest))
    total = total.reshape(rows.shape[:-1])
    minus_zero = (rows == 0).all(axis=-1) & np.signbit(rows).all(axis=-1)
    return round_array(np.where(minus_zero, -0.0, total), fmt)


def add_aligned(terms: Floats, fmt: Format, extra_bits: int) -> Floats:
    """Shift to the largest exponent, truncate, add exactly, truncate to the format's precision.

    Terms keep ``fmt.precision + extra_bits`` bits, counted from the leading bit of the largest.
    Truncation is towards zero; a zero sum is plus zero; an overflow becomes an infinity.
    """
    kept = fmt.precision + extra_bits
    if len(terms) << kept >= 1 << 63:
        message = (
            f"{len(terms)} aligned terms of {kept} bits do not fit into 64 bits; "
            "use fewer terms or extra bits, or a narrower accumulator"
        )
        raise FpdriftError(message)
    wide = terms.astype(np.float64)
    with np.errstate(all="ignore"):
        exponents = np.where(wide == 0, -(2**15), np.frexp(wide)[1])
        quantum = exponents.max(axis=0) - kept
        finite = np.isfinite(wide)
        units = np.trunc(np.ldexp(np.where(finite, wide, 0), -quantum))
        total = units.astype(np.int64).sum(axis=0)
        size = _truncated(np.abs(total), fmt.precision).astype(np.float64)
        sums = np.ldexp(np.copysign(size, total), quantum)
        endless = np.where(finite, 0, wide).sum(axis=0)
        whole: Floats = np.where(finite.all(axis=0), sums, endless).astype(fmt.dtype)
        return whole


def _truncated(sizes: Floats, precision: int) -> Floats:
    """Truncate non-negative integers to their leading bits."""
    # Without the bit below the leading one, the conversion cannot round up to a power of two.
    length = np.frexp((sizes & ~(sizes >> 1)).astype(np.float64))[1].astype(np.int64)
    cut = np.maximum(length - precision, 0)
    kept: Floats = sizes >> cut << cut
    return kept


def _fsum(row: list[float]) -> float:
    try:
        return math.fsum(row)
    except (OverflowError, ValueError):  # intermediate overflow, or infinities of both signs
        endless = [x for x in row if not math.isfinite(x)]
        if endless:
            return sum(endless)
        return float(round_fraction(sum(map(Fraction, row), Fraction(0)), FORMATS["float64"]))
