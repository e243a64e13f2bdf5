"""Hashes of drawn values and of generators' states, and descriptions of seeds.

NumPy is never imported: a script sets environment variables before it does, and until then there
are no arrays.
"""

from __future__ import annotations

import re
import sys
from hashlib import blake2b
from struct import Struct
from typing import Any

from fpdrift.errors import short_repr

#: Bytes of a digest.
SIZE = 8
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_pack_float, _HALF = Struct(">d").pack, 1 << 63
_PLAIN = (bool, int, float, complex, str, type(None))


def hash_bytes(data: bytes | bytearray) -> bytes:
    """Return the hash of a few bytes."""
    return blake2b(data, digest_size=SIZE).digest()


def digest_of(value: object) -> bytes | None:
    """Return the hash of a drawn value; None of one that is not data, or not there yet.

    Parameters
    ----------
    value : object
        A number, text, bytes, an array, an eager tensor, or a list or tuple of those.
    """
    if type(value) is float:
        return _pack_float(value)
    if type(value) is int and -_HALF <= value < _HALF:
        return value.to_bytes(SIZE, "big", signed=True)
    if isinstance(value, bytes):
        return hash_bytes(value)
    if isinstance(value, _PLAIN):
        return hash_bytes(repr(value).encode())
    if isinstance(value, list | tuple):
        parts = [digest_of(item) for item in value]
        return None if None in parts else hash_bytes(b"".join(part for part in parts if part))
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    if not isinstance(value, numpy.ndarray | numpy.generic):
        convert = getattr(value, "numpy", None) or getattr(value, "__array__", None)
        if convert is None:
            return None
        try:
            value = numpy.asarray(convert())
        except Exception:  # noqa: BLE001 - a tensor of a graph, or a tracer, has no value yet
            return None
    return _digest_of_array(numpy.ascontiguousarray(value))


def _digest_of_array(array: Any) -> bytes | None:
    if array.dtype.hasobject:
        return None
    # Imported with the first array: a script must find no module loaded that it did not import.
    from xxhash import xxh3_64

    header = repr((array.dtype.str, array.shape)).encode()
    hashed = xxh3_64(header)
    hashed.update(array.view("u1") if array.ndim else array.tobytes())
    return hashed.digest()


def digest_of_state(state: Any) -> bytes:
    """Return the hash of a generator's state: numbers, arrays, and dicts or tuples of them."""
    if isinstance(state, dict):
        return hash_bytes(b"".join(digest_of_state(value) for value in state.values()))
    if isinstance(state, tuple) and len(state) > 100:  # Python's: the hash of integers is theirs
        return hash_bytes(b"%d" % hash(state))
    if isinstance(state, tuple):
        return hash_bytes(b"".join(digest_of_state(value) for value in state))
    return digest_of(state) or b""


def describe_seed(seed: object) -> str | None:
    """Return a short description of a seed, the same in every process; None of None."""
    if seed is None:
        return None
    state = getattr(seed, "state", None)  # of a bit generator
    if isinstance(state, dict) and "bit_generator" in state:
        return f"{state['bit_generator']} in state {digest_of_state(state).hex()}"
    if not isinstance(seed, _PLAIN) and (digest := digest_of(seed)):
        return f"{_ADDRESS.sub('', short_repr(seed))} ({digest.hex()[:8]})"
    return _ADDRESS.sub("", short_repr(seed))
