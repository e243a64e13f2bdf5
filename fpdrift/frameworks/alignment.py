"""Arrays at a chosen address: vector kernels peel off leading elements by it, and so add by it."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

#: Bytes of a cache line, and of the widest vector registers: no kernel asks for more.
LINE = 64


def aligned_zeros(shape: int | tuple[int, ...], dtype: Any, offset: int = 0) -> npt.NDArray[Any]:
    """Return zeros whose first byte stands `offset` bytes after a multiple of 64."""
    kind = np.dtype(dtype)
    size = (prod(shape) if isinstance(shape, tuple) else shape) * kind.itemsize
    memory = np.zeros(size + 2 * LINE, np.uint8)
    start = -memory.ctypes.data % LINE + offset
    zeros: npt.NDArray[Any] = memory[start : start + size].view(kind).reshape(shape)
    return zeros


def offset_of(array: npt.NDArray[Any]) -> int:
    """Return how many bytes after a multiple of 64 an array's first byte stands."""
    return int(array.ctypes.data) % LINE


def aligned_copy(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Copy to memory of the same alignment; NumPy's own copy stands wherever there is room."""
    copy = aligned_zeros(array.shape, array.dtype, offset_of(array))
    copy[...] = array
    return copy
