"""Floats decoded from their bits by the textbook formula, and nothing of ours."""

import math
from fractions import Fraction

import ml_dtypes
import numpy as np

NAMES = ("float16", "bfloat16", "float32", "float64")
SMALL = ("float16", "bfloat16")

#: name -> (exponent bits, stored significand bits, dtype, unsigned dtype)
LAYOUT = {
    "float16": (5, 10, np.dtype("float16"), np.dtype("uint16")),
    "bfloat16": (8, 7, np.dtype(ml_dtypes.bfloat16), np.dtype("uint16")),
    "float32": (8, 23, np.dtype("float32"), np.dtype("uint32")),
    "float64": (11, 52, np.dtype("float64"), np.dtype("uint64")),
}


def scalar(bits, name):
    """The NumPy scalar with these bits."""
    _, _, dtype, unsigned = LAYOUT[name]
    return np.frombuffer(unsigned.type(bits).tobytes(), dtype)[0]


def bits_of(value, name):
    """The bits of a scalar that has the dtype already."""
    _, _, dtype, unsigned = LAYOUT[name]
    assert value.dtype == dtype, (value, value.dtype, name)
    return int(np.frombuffer(value.tobytes(), unsigned)[0])


def everything(name):
    """All floats of a 16-bit format, as an array in the order of their bits."""
    _, _, dtype, unsigned = LAYOUT[name]
    return np.arange(2**16, dtype=np.uint32).astype(unsigned).view(dtype)


def number(bits, name):
    """IEEE 754-2019, section 3.4: the exact number of finite bits; None for infinity and NaN."""
    width, stored, _, _ = LAYOUT[name]
    sign = -1 if bits >> (width + stored) else 1
    exponent = (bits >> stored) % 2**width
    field = bits % 2**stored
    bias = 2 ** (width - 1) - 1
    if exponent == 2**width - 1:
        return None
    if exponent == 0:
        return sign * Fraction(field, 2**stored) * Fraction(2) ** (1 - bias)
    return sign * (1 + Fraction(field, 2**stored)) * Fraction(2) ** (exponent - bias)


def positive_finite(name):
    """Bits of every finite float from plus zero up, for a 16-bit format."""
    width, stored, _, _ = LAYOUT[name]
    return range((2**width - 1) << stored)


def is_nan(value):
    return math.isnan(float(value))
