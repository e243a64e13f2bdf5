"""What a nudge does to the numbers themselves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS, Format, from_bits, from_ordinal, ordinal, round_to, to_bits


def add_noise(
    flat: npt.NDArray[Any], size: float, fraction: float, rng: np.random.Generator
) -> npt.NDArray[Any]:
    """Add clipped noise to a share of a flat tensor in place; give the indices that were drawn."""
    fmt = FORMATS[flat.dtype.name]
    places = np.flatnonzero(np.isfinite(flat))
    drawn = rng.choice(places, round(fraction * places.size), replace=False, shuffle=False)
    drawn.sort()
    limit = _largest_up_to(size, fmt)
    with np.errstate(over="ignore", under="ignore"):
        noise = np.clip(size * rng.standard_normal(drawn.size), -limit, limit)
        old = flat[drawn]
        new = old + noise.astype(fmt.dtype)
    # -0.0 + 0.0 is 0.0: a nudge of nothing must not touch the sign.
    flat[drawn] = np.where(new == old, old, new)
    return drawn


def _largest_up_to(size: float, fmt: Format) -> float:
    """Give the largest finite number of the format that is no larger than `size`."""
    number = round_to(size, fmt)
    if not float(number) <= size or not math.isfinite(float(number)):
        number = from_ordinal(ordinal(number, fmt) - 1, fmt)
    return float(number)


def step(weight: Any, fmt: Format, steps: int) -> Any:
    """Move a float by whole ulps."""
    if not steps:
        return weight
    if math.isnan(weight):
        message = "a NaN has no next float; choose another weight"
        raise FpdriftError(message)
    place = ordinal(weight, fmt) + steps
    if abs(place) > fmt.infinity_bits:
        message = f"{steps} ulps from {weight} lead past infinity; take fewer steps"
        raise FpdriftError(message)
    return from_ordinal(place, fmt)


def flip(weight: Any, fmt: Format, bit: int) -> Any:
    """Flip one bit of a float."""
    if bit >= fmt.bits:
        message = f"bit {bit} is beyond {fmt.name}; choose 0 to {fmt.bits - 1}"
        raise FpdriftError(message)
    return from_bits(to_bits(weight, fmt) ^ (1 << bit), fmt)
