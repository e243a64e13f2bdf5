"""Random numbers that are bit-identical under every condition, from an integer hash.

The generators of a framework return different numbers under XLA or in a different dtype. Integers
are not rounded, so numbers hashed from a seed and an index are the same everywhere.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from fpdrift.records import content_hash, mix64


class Purpose(IntEnum):
    """Purpose of the random numbers; each has its own stream."""

    WEIGHTS = 1
    ORDER = 2
    DROPOUT = 3


def hashed_bits(purpose: Purpose, *key: int, count: int) -> npt.NDArray[np.uint64]:
    """Return 64 well-mixed bits for each index below `count`.

    Parameters
    ----------
    purpose : Purpose
    *key : int
        Integers from 0 to 2**64 - 1, such as a seed and the number of a tensor.
    count : int

    Returns
    -------
    numpy.ndarray of uint64, shape (count,)
    """
    state = mix64(np.array([purpose], np.uint64))
    for word in key:
        state = mix64(state ^ np.array([word], np.uint64))
    index: npt.NDArray[np.uint64] = np.arange(count, dtype=np.uint64)
    return mix64(state + index)


def uniform(bits: npt.NDArray[np.uint64], limit: float) -> npt.NDArray[np.float32]:
    """Convert bits to numbers uniformly distributed over (-limit, limit), none of them zero."""
    odd = 2 * (bits >> np.uint64(12)).astype(np.int64) + 1 - 2**52
    return (odd * (limit * 2.0**-52)).astype(np.float32)


def permutation(seed: int, epoch: int, count: int) -> npt.NDArray[np.intp]:
    """Shuffle the indices below `count`, differently in every epoch, by sorting their hashes."""
    return np.argsort(hashed_bits(Purpose.ORDER, seed, epoch, count=count), kind="stable")


def digest(*arrays: npt.NDArray[np.generic]) -> str:
    """Return a hash of the bits of some arrays, in their order, as 16 hexadecimal digits."""
    hashes = [content_hash(array) for array in arrays]
    return f"{content_hash(np.array(hashes, '<u8')):016x}"
