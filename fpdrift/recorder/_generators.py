"""Digest the states of the global random generators, without drawing from them.

Keras' own generators are variables of the model and are recorded as tensors.
"""

from __future__ import annotations

import random
import struct

import numpy as np
import xxhash

#: The state of Python's generator: the Mersenne Twister's 624 words, and its place in them.
_STATE = struct.Struct("625I")


def generator_digests() -> dict[str, int]:
    """Return 64-bit digests of the states of `random` and of NumPy's global generator."""
    version, words, gauss = random.getstate()
    python = xxhash.xxh3_64(_STATE.pack(*words))
    python.update(repr((version, gauss)).encode())
    found = np.random.get_state(legacy=False)  # noqa: NPY002 - the global one is what is recorded
    state = dict(found.pop("state"))
    key = state.pop("key", None)  # an array, in the generator that NumPy has by default
    numpy = xxhash.xxh3_64(b"" if key is None else key.tobytes())
    numpy.update(repr((sorted(found.items()), sorted(state.items()))).encode())
    return {"python": python.intdigest(), "numpy": numpy.intdigest()}
