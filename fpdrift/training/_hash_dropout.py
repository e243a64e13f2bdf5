"""Dropout with the same masks on every backend, in every dtype, with and without XLA."""

from __future__ import annotations

import math
from typing import Any

import keras  # noqa: TID253 - a layer is a subclass; only the worker program gets here
from keras import ops  # noqa: TID253 - as above

from fpdrift.training._hash_rng import Purpose, hashed_bits


class HashDropout(keras.Layer):  # type: ignore[misc] # Keras ships no types
    """Drop units by an integer hash of seed, layer, step and index.

    Parameters
    ----------
    rate : float
        Share of the units to drop, 0 to below 1; the others are scaled by 1 / (1 - rate).
    seed : int
    number : int
        Number of the dropout layer in the model.
    """

    def __init__(self, rate: float, seed: int, number: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate, self.seed, self.number = rate, seed, number
        key = hashed_bits(Purpose.DROPOUT, seed, number, count=1)[0] >> 33
        # Keras' generator is used as a counter of steps: its state is (key, step)
        self.seed_generator = keras.random.SeedGenerator(int(key))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop units in training, and pass everything else on."""
        if not training:
            return inputs
        bits = hash32(ops.shape(inputs), self.seed_generator.next())
        keep = ops.greater_equal(bits, _whole(int(self.rate * 2**32)))
        return ops.where(keep, inputs / (1 - self.rate), ops.zeros_like(inputs))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the layer."""
        made_with = {"rate": self.rate, "seed": self.seed, "number": self.number}
        return {**super().get_config(), **made_with}


def hash32(shape: Any, state: Any) -> Any:
    """Hash every index of an array to an integer from 0 to 2**32 - 1.

    Parameters
    ----------
    shape : tuple
        As returned by `keras.ops.shape`.
    state : tensor of two integers
        Key, below 2**31, and step.

    Returns
    -------
    tensor
        Of that shape; uint32 on JAX, int64 elsewhere.
    """
    place = ops.reshape(ops.arange(math.prod(shape), dtype=_dtype()), shape)
    key, step = ops.cast(state[0], _dtype()), ops.cast(state[1], _dtype())
    # the index is hashed before it meets the key: otherwise masks could be shifted copies
    return _mix(ops.bitwise_xor(_mix(place), _mix(ops.bitwise_xor(key, _mix(step)))))


def _mix(x: Any) -> Any:
    """Mix 32 bits; the constants are below 2**31, so no product overflows int64.

    The form is that of MurmurHash3's finaliser (Appleby, 2011), with less biased constants found by
    search (the "hash-prospector" of Wellons, 2018).
    """
    x = ops.bitwise_xor(x, ops.right_shift(x, 16))
    x = ops.bitwise_and(x * 0x21F0AAAD, _whole(2**32 - 1))
    x = ops.bitwise_xor(x, ops.right_shift(x, 15))
    x = ops.bitwise_and(x * 0x735A2D97, _whole(2**32 - 1))
    return ops.bitwise_xor(x, ops.right_shift(x, 15))


def _dtype() -> str:
    """Return the dtype: JAX has no int64 by default, and PyTorch hardly supports uint32."""
    return "uint32" if keras.backend.backend() == "jax" else "int64"


def _whole(number: int) -> Any:
    """Return a 32-bit constant; a plain number would be an int32 on JAX."""
    return ops.convert_to_tensor(number, _dtype())
