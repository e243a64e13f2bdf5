"""Measure the distance between two floats in ulps.

Sorting all floats of a format gives each an ordinal: 0 for both zeros, +1 for each step up, -1 for
each step down. The distance in ulps is the difference between two ordinals.
"""

from __future__ import annotations

from typing import Any, overload

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.floats._codec import exact, from_bits, round_to, to_bits
from fpdrift.floats._formats import FORMATS, Format, format_of


def ordinal(x: Any, fmt: Format) -> int:
    """Return the position of a scalar in the sorted floats of its format; both zeros are 0."""
    bits = to_bits(x, fmt)
    size = bits & ~fmt.sign_bit
    return -size if bits & fmt.sign_bit else size


def from_ordinal(place: int, fmt: Format) -> Any:
    """Return the scalar with an ordinal; 0 gives plus zero."""
    return from_bits(abs(place) | (fmt.sign_bit if place < 0 else 0), fmt)


def ulp_at(exact: Any, dtype: Any) -> npt.NDArray[np.float64]:
    """Return the spacing of a dtype's floats at some exact numbers, of the same shape."""
    fmt = format_of(dtype)
    exponents = np.where(np.equal(exact, 0), fmt.emin, np.frexp(exact)[1] - 1)
    spacing: npt.NDArray[np.float64] = np.ldexp(
        1.0, np.maximum(exponents, fmt.emin) - fmt.fraction_bits
    )
    return spacing


@overload
def ulp_distance(a: float | np.floating[Any], b: float | np.floating[Any]) -> int: ...
@overload
def ulp_distance(a: npt.NDArray[Any], b: npt.ArrayLike) -> npt.NDArray[np.uint64]: ...
@overload
def ulp_distance(a: npt.ArrayLike, b: npt.NDArray[Any]) -> npt.NDArray[np.uint64]: ...


def ulp_distance(a: Any, b: Any) -> Any:
    """Return the distance between `a` and `b` in steps from one float to the next.

    Parameters
    ----------
    a, b : float, NumPy scalar or array of one dtype
        float16, bfloat16, float32 or float64; arrays are broadcast. A Python float or int next to
        a NumPy value takes its dtype, if it is exact in it.

    Returns
    -------
    int or numpy.ndarray of uint64
        The distance between the signed zeros is 0. Across zero, every float in between counts. An
        infinity is one step beyond the largest finite number. The distance between two NaNs is 0,
        whatever their bits.

    Raises
    ------
    FpdriftError
        If the dtypes differ, or only one of two values is a NaN, which has no ordinal.

    Examples
    --------
    >>> import fpdrift
    >>> fpdrift.ulp_distance(2 * 11 / 9, 2 / 9 * 11)
    1
    """
    x, y = _same_format(a, b)
    try:
        x, y = np.broadcast_arrays(x, y)
    except ValueError:
        message = (
            f"shapes {short_repr(x.shape)} and {short_repr(y.shape)} cannot be broadcast together"
        )
        raise FpdriftError(message) from None
    fmt = FORMATS[x.dtype.name]
    size_x, below_x = _split(x, fmt)
    size_y, below_y = _split(y, fmt)
    nan = size_x > fmt.infinity_bits  # np.isnan would warn about a signalling NaN
    lost = nan != (size_y > fmt.infinity_bits)
    if lost.any():
        at = tuple(int(i) for i in np.argwhere(lost)[0])
        where = f" at index {at}" if at else ""
        message = f"no distance in ulps between a NaN and a number: {x[at]!s} and {y[at]!s}{where}"
        raise FpdriftError(message)
    near = np.maximum(size_x, size_y) - np.minimum(size_x, size_y)
    steps = np.where(below_x == below_y, near, size_x + size_y)
    steps = np.where(nan, np.uint64(0), steps)
    scalar = np.ndim(a) == 0 and np.ndim(b) == 0
    return int(steps) if scalar else steps


def _split(x: npt.NDArray[Any], fmt: Format) -> tuple[npt.NDArray[np.uint64], npt.NDArray[Any]]:
    # With another byte order or stride the bits would be read wrongly.
    bits = np.ascontiguousarray(x, fmt.dtype).view(fmt.uint).astype(np.uint64).reshape(x.shape)
    sign = np.uint64(fmt.sign_bit)
    return bits & ~sign, (bits & sign) != 0


def _same_format(a: Any, b: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Convert both to one of the four dtypes, without rounding."""
    plain_a, plain_b = (
        isinstance(v, int | float) and not isinstance(v, np.generic) for v in (a, b)
    )
    y = None if plain_b else _array(b)
    x = _exactly(a, np.dtype(np.float64) if y is None else y.dtype) if plain_a else _array(a)
    y = _exactly(b, x.dtype) if y is None else y
    if x.dtype.name != y.dtype.name or x.dtype.name not in FORMATS:
        message = (
            f"cannot count ulps between {x.dtype.name} and {y.dtype.name}; "
            f"pass two values of one dtype: {', '.join(FORMATS)}"
        )
        raise FpdriftError(message)
    return x, y


def _array(values: Any) -> npt.NDArray[Any]:
    try:
        return np.asarray(values)
    except (TypeError, ValueError):
        message = f"not an array of numbers: {short_repr(values)}"
        raise FpdriftError(message) from None


def _exactly(number: float, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Convert a Python number to the dtype (to float64 if that has no ulps, for the error)."""
    fmt = FORMATS.get(dtype.name, FORMATS["float64"])
    rounded = round_to(number, fmt)
    if exact(rounded) != exact(number) and number == number:  # a NaN stays one
        message = f"{short_repr(number)} is not exact in {fmt.name}; round it explicitly"
        raise FpdriftError(message)
    return np.asarray(rounded)
