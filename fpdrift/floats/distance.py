"""How many floats lie between two floats.

Sorting all floats of a format gives every one an ordinal: 0 for both zeros, +1 a step up, -1 a step
down. A distance in ulps is the difference of two ordinals.
"""

from __future__ import annotations

from typing import Any, overload

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError
from fpdrift.floats.convert import from_bits, to_bits
from fpdrift.floats.formats import FORMATS, Format


def ordinal(x: Any, fmt: Format) -> int:
    """Place of a scalar in the sorted floats of its format; both zeros are 0."""
    bits = to_bits(x, fmt)
    size = bits & ~fmt.sign_bit
    return -size if bits & fmt.sign_bit else size


def from_ordinal(place: int, fmt: Format) -> Any:
    """Inverse of `ordinal`; 0 gives plus zero."""
    return from_bits(abs(place) | (fmt.sign_bit if place < 0 else 0), fmt)


@overload
def ulp_distance(a: float | np.floating[Any], b: float | np.floating[Any]) -> int: ...
@overload
def ulp_distance(a: npt.NDArray[Any], b: npt.ArrayLike) -> npt.NDArray[np.uint64]: ...
@overload
def ulp_distance(a: npt.ArrayLike, b: npt.NDArray[Any]) -> npt.NDArray[np.uint64]: ...


def ulp_distance(a: Any, b: Any) -> Any:
    """Count the steps from float to float that lead from `a` to `b`.

    Parameters
    ----------
    a, b : float, NumPy scalar or array of one dtype
        float16, bfloat16, float32 or float64; arrays are broadcast. A Python float or int beside a
        NumPy value is taken as that dtype if it is exact in it.

    Returns
    -------
    int or numpy.ndarray of uint64
        The signed zeros are 0 apart. Across zero every float in between counts. An infinity lies
        one step beyond the largest finite number. Two NaN are 0 apart, whatever their bits.

    Raises
    ------
    FpdriftError
        If the dtypes differ, or a NaN meets a number: it has no place among the numbers.

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
        message = f"shapes {x.shape} and {y.shape} do not go together"
        raise FpdriftError(message) from None
    fmt = FORMATS[x.dtype.name]
    lost = np.isnan(x) != np.isnan(y)
    if lost.any():
        at = tuple(int(i) for i in np.argwhere(lost)[0])
        where = f" at index {at}" if at else ""
        message = f"a NaN is no number of ulps from a number: {x[at]} against {y[at]}{where}"
        raise FpdriftError(message)
    size_x, below_x = _split(x, fmt)
    size_y, below_y = _split(y, fmt)
    near = np.maximum(size_x, size_y) - np.minimum(size_x, size_y)
    steps = np.where(below_x == below_y, near, size_x + size_y)
    steps = np.where(np.isnan(x), np.uint64(0), steps)
    scalar = np.ndim(a) == 0 and np.ndim(b) == 0
    return int(steps) if scalar else steps


def _split(x: npt.NDArray[Any], fmt: Format) -> tuple[npt.NDArray[np.uint64], npt.NDArray[Any]]:
    bits = np.ascontiguousarray(x).view(fmt.uint).astype(np.uint64).reshape(x.shape)
    sign = np.uint64(fmt.sign_bit)
    return bits & ~sign, (bits & sign) != 0


def _same_format(a: Any, b: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Bring both to one of the four dtypes, without rounding anything."""
    plain_a, plain_b = (
        isinstance(v, int | float) and not isinstance(v, np.generic) for v in (a, b)
    )
    x = np.asarray(a, np.float64) if plain_a else np.asarray(a)
    y = np.asarray(b, np.float64) if plain_b else np.asarray(b)
    if plain_a and not plain_b:
        x = _exactly(x, y.dtype)
    if plain_b and not plain_a:
        y = _exactly(y, x.dtype)
    if x.dtype != y.dtype or x.dtype.name not in FORMATS:
        message = (
            f"cannot count ulps between {x.dtype} and {y.dtype}; "
            f"give two of the same: {', '.join(FORMATS)}"
        )
        raise FpdriftError(message)
    return x, y


def _exactly(number: npt.NDArray[Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    if dtype.name not in FORMATS:
        return number
    with np.errstate(over="ignore", under="ignore"):
        rounded = number.astype(dtype)
    if float(rounded) != float(number) and not np.isnan(number):
        message = f"{float(number)!r} is no {dtype.name}; round it yourself, so that it is seen"
        raise FpdriftError(message)
    return rounded
