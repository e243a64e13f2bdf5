"""Bits of floats as whole numbers, which compare to the bit, NaN and both zeros included."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def bits_of(values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return the bits of each value, as unsigned integers (or bytes, of what is wider than 8)."""
    array = np.asarray(values)
    return array.view(f"{'u' if array.itemsize <= 8 else 'V'}{array.itemsize}")


def same_bits(a: npt.ArrayLike, b: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return for each pair of values of one dtype whether they are equal to the bit."""
    return np.asarray(bits_of(a) == bits_of(b))
