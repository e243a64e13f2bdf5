"""Functions that fresh processes call on numbers at known addresses: some with a planted rule."""

import numpy as np

#: Calls so far in this process.
_calls = [0]


def by_address(x):
    """Return one float per offset in elements from a multiple of 64 bytes, neighbours apart."""
    steps = x.ctypes.data % 64 // x.itemsize
    return (np.ones(1, x.dtype).view(f"i{x.itemsize}") + steps).view(x.dtype)


def by_half_line(x):
    """Return 1, or 1 and an eighth if the numbers begin in the second half of 32 bytes."""
    return x.dtype.type(1 + (x.ctypes.data % 32 >= 16) / 8)


def in_sequence(x):
    """Add in sequence, which no address changes; then spoil what it was given."""
    total = np.add.accumulate(x)[-1]
    x[...] = 0
    return total


def drawn(x):
    """Return another number in every call."""
    _calls[0] += 1
    return x.dtype.type(_calls[0])


def both(x):
    """Return a complex number whose imaginary part depends on the address."""
    return np.sqrt(-x.dtype.type(1 + x.ctypes.data % 64) + 0j).astype(f"c{2 * x.itemsize}")


def python_float(x):
    """Return float32 as Python's float, as BLAS does; by address, one step of float32 apart."""
    return float(np.nextafter(np.float32(1), np.float32(2)) if x.ctypes.data % 64 else 1)


def raising(x):
    raise ArithmeticError(f"planted for {x.dtype}")


def infinite(x):
    return x / 0 if x.ctypes.data % 64 else x
