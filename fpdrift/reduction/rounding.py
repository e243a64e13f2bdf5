"""Round arrays from one format to another, once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.floats import Format

Floats = npt.NDArray[Any]


def round_array(values: Floats, fmt: Format) -> Floats:
    """Round each number once, to nearest, ties to even.

    The cast from float64 to bfloat16 goes through float32 and so rounds twice. Rounding to odd in
    between makes the second rounding right (Boldo and Melquiond 2008, "Emulation of FMA and
    correctly rounded sums: proved algorithms using rounding to odd", IEEE Trans. Computers 57).
    """
    with np.errstate(all="ignore"):
        if fmt.name == "bfloat16" and values.dtype == np.float64:
            near = values.astype(np.float32)
            values = to_odd(near, values - near)
        return values.astype(fmt.dtype)


def to_odd(near: Floats, rest: Floats) -> Floats:
    """Give each of `near` that is not exact an odd last bit, moving towards its `rest`."""
    even = near.view(f"uint{8 * near.itemsize}") % 2 == 0
    towards = np.copysign(near.dtype.type(np.inf), rest).astype(near.dtype)
    moved = even & (np.abs(rest) > 0)  # neither for zero nor for NaN
    return np.where(moved, np.nextafter(near, towards), near)
