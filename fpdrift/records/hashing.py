"""Two hashes: one tells whether bits are the same, the other deals indices into buckets.

`mix64` is written out here, since its values stand behind every sketch in every record: NumPy's
generators may change between versions, and two records made years apart have to be comparable.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

#: Version of `mix64` and of how a sketch uses it; stands in every record.
HASH_VERSION = 1


def content_hash(array: npt.NDArray[Any]) -> int:
    """Hash the bytes of an array, so that equal hashes mean equal bits.

    Two different arrays share a hash with probability 2**-64.

    Parameters
    ----------
    array : numpy.ndarray
        Any shape and dtype; copied only if it is not contiguous.

    Returns
    -------
    int
        xxh3_64 of the values in C order, 0 to 2**64 - 1.
    """
    try:
        return xxhash.xxh3_64_intdigest(array.data)
    except (TypeError, ValueError, BufferError):
        # What is not contiguous offers no buffer, nor do bfloat16 and the like: their bytes do.
        return xxhash.xxh3_64_intdigest(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def mix64(index: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Turn indices into 64 well-mixed bits each.

    The value at index i is output i + 1 of the generator SplitMix64 started at 0 (Steele, Lea and
    Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014; its finaliser, with the
    constants of Stafford's variant 13).

    Parameters
    ----------
    index : numpy.ndarray of uint64
        Any shape.

    Returns
    -------
    numpy.ndarray of uint64
        Of the same shape.
    """
    with np.errstate(over="ignore"):  # modulo 2**64 is meant; NumPy warns of it for scalars
        z = (np.asarray(index, np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))
