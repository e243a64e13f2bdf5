"""Sketch a large tensor in 1,024 numbers that determine distances to other tensors.

Every element is assigned a bucket and a sign, both by a hash of its position; a bucket holds the
sum of its signed elements. Sums are linear, so the difference of two sketches is the sketch of the
difference, and its squared length is an unbiased estimate of the squared distance
(Alon, Matias and Szegedy, "The space complexity of approximating the frequency moments", 1996;
Charikar, Chen and Farach-Colton, "Finding frequent items in data streams", 2002).
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.records._format import mix64

#: Number of signed sums in a sketch.
BUCKETS = 1024

#: Largest relative standard error of a *squared* distance estimated from two sketches. The variance
#: is 2/BUCKETS * (||x||_2^4 - ||x||_4^4) for a difference x. That of a distance is half as large.
relative_standard_error = sqrt(2 / BUCKETS)

#: Elements processed at a time: their float64 copies stay in the cache.
_BLOCK = 1 << 17

#: position -> bucket * 2 + (1 if the sign is minus); as long as the largest tensor so far
_places: npt.NDArray[np.uint16] = np.empty(0, np.uint16)


def sketch(array: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Sum the elements into signed buckets.

    Parameters
    ----------
    array : numpy.ndarray
        Real numbers of any shape; positions are those in C order.

    Returns
    -------
    numpy.ndarray of float64, shape (1024,)
        Signed sums. NaN if a bucket has a NaN, or infinities of both signs.
    """
    return sketch_and_norm(array)[0]


def sketch_and_norm(array: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float64], float]:
    """Return an array's sketch and its squared 2-norm, computed in one pass in float64."""
    flat = np.ascontiguousarray(array).reshape(-1)
    places = _places_up_to(flat.size)
    values, bins = (
        np.empty(_BLOCK),
        np.empty(_BLOCK, np.intp),
    )  # allocated once, since new pages are expensive
    halves = np.zeros(2 * BUCKETS)
    norm = 0.0
    with np.errstate(invalid="ignore", over="ignore"):  # infinity minus infinity is NaN
        for start in range(0, flat.size, _BLOCK):
            size = min(_BLOCK, flat.size - start)
            block, here = values[:size], bins[:size]
            np.copyto(block, flat[start : start + size])
            np.copyto(here, places[start : start + size])
            np.add.at(halves, here, block)  # one by one, in order
            # not block @ block: BLAS threads give different bits, and wait for those of training
            norm += float(np.einsum("i,i", block, block))
        return halves[0::2] - halves[1::2], norm


def _places_up_to(size: int) -> npt.NDArray[np.uint16]:
    """Return bucket and sign of the first `size` positions; cached for all tensors."""
    global _places  # noqa: PLW0603 - a cache of a pure function
    if _places.size < size:
        grown = np.empty(size, np.uint16)
        for start in range(0, size, _BLOCK):
            index = np.arange(start, min(start + _BLOCK, size), dtype=np.uint64)
            # the highest bits are mixed best: ten for the bucket, the next for the sign
            grown[start : start + _BLOCK] = mix64(index) >> np.uint64(53)
        _places = grown
    return _places[:size]
