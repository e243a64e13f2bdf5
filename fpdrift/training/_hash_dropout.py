"""Dropout whose masks are the same bits on every backend, in every dtype, with XLA or without."""

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
        Share of the units that is dropped, 0 to below 1; the others grow by 1 / (1 - rate).
    seed : int
    number : int
        Tells the dropout layers of one model apart.
    """

    def __init__(self, rate: float, seed: int, number: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate, self.seed, self.number = rate, seed, number
        key = hashed_bits(Purpose.DROPOUT, seed, number, count=1)[0] >> 33
        # Keras' own generator, used as its counter of steps: its state is (key, step).
        self.seed_generator = keras.random.SeedGenerator(int(key))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop units in training, and pass everything else on."""
        if not training:
            return inputs
        bits = hash32(ops.shape(inputs), self.seed_generator.next())
        keep = ops.greater_equal(bits, _whole(int(self.rate * 2**32)))
        return ops.where(keep, inputs / (1 - self.rate), ops.zeros_like(inputs))

    def get_config(self) -> dict[str, Any]:
        """Return what the layer was made with."""
        made_with = {"rate": self.rate, "seed": self.seed, "number": self.number}
        return {**super().get_config(), **made_with}


def hash32(shape: Any, state: Any) -> Any:
    """Hash every place of an array to a whole number from 0 to 2**32 - 1.

    Parameters
    ----------
    shape : tuple
        As `keras.ops.shape` gives it.
    state : tensor of two whole numbers
        Key, below 2**31, and step.

    Returns
    -------
    tensor
        Of that shape; uint32 on JAX, int64 elsewhere.
    """
    place = ops.reshape(ops.arange(math.prod(shape), dtype=_dtype()), shape)
    key, step = ops.cast(state[0], _dtype()), ops.cast(state[1], _dtype())
    # Hashed before the key comes in: else two steps' masks could be shifted copies of each other.
    return _mix(ops.bitwise_xor(_mix(place), _mix(ops.bitwise_xor(key, _mix(step)))))


def _mix(x: Any) -> Any:
    """Mix 32 bits; the constants are below 2**31, so no product leaves int64.

    The form is MurmurHash3's finaliser (Appleby, 2011), with constants of less bias found by
    search (the "hash-prospector" of Wellons, 2018).
    """
    x = ops.bitwise_xor(x, ops.right_shift(x, 16))
    x = ops.bitwise_and(x * 0x21F0AAAD, _whole(2**32 - 1))
    x = ops.bitwise_xor(x, ops.right_shift(x, 15))
    x = ops.bitwise_and(x * 0x735A2D97, _whole(2**32 - 1))
    return ops.bitwise_xor(x, ops.right_shift(x, 15))


def _dtype() -> str:
    """JAX has no int64 unless told to, PyTorch hardly any uint32."""
    return "uint32" if keras.backend.backend() == "jax" else "int64"


def _whole(number: int) -> Any:
    """Make a constant of 32 bits; a plain number would be an int32 on JAX."""
    return ops.convert_to_tensor(number, _dtype())
