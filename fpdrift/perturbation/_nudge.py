"""Nudge weights by almost nothing: noise, an ulp or a bit.

A nudge below half an ulp of its weight is rounded away by the addition itself. So the size that a
user asks for and the change that a model sees are two things, and the account holds both.

What a nudge does to the numbers themselves.

Read weights in the shapes that people hold them in, and hand them back the same way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS, Format, from_bits, from_ordinal, ordinal, round_to, to_bits
from fpdrift.perturbation._report import SLOTS, NudgeAccount, binades, by_size, count
from fpdrift.perturbation._spec import Perturbation


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
    """Return the largest finite number of the format that is no larger than `size`."""
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


def named(weights: Any) -> dict[str, npt.NDArray[Any]]:
    """Read weights as arrays by name, in their order."""
    if isinstance(weights, Mapping):
        items = list(weights.items())
    elif isinstance(weights, Sequence) and not isinstance(weights, str | bytes):
        items = [(str(i), tensor) for i, tensor in enumerate(weights)]
    elif isinstance(weights, np.ndarray | np.generic):
        items = [("0", weights)]
    else:
        message = f"weights are a dict or a list of arrays, or one, not a {type(weights).__name__}"
        raise FpdriftError(message)
    if not all(isinstance(name, str) for name, _ in items):
        message = f"tensors are named by texts, not {next(iter(weights))!r}"
        raise FpdriftError(message)
    return {name: _tensor(name, tensor) for name, tensor in items}


def _tensor(name: str, values: Any) -> npt.NDArray[Any]:
    try:
        tensor = np.asarray(values)
    except (TypeError, ValueError, RuntimeError):
        message = f"tensor {name!r} is no array of numbers"
        raise FpdriftError(message) from None
    if tensor.dtype.name not in FORMATS and tensor.dtype.kind not in "biu":
        message = f"tensor {name!r} holds {tensor.dtype}; expected one of {', '.join(FORMATS)}"
        raise FpdriftError(message)
    return np.ascontiguousarray(tensor, tensor.dtype.newbyteorder("=")).reshape(tensor.shape)


def like(weights: Any, new: dict[str, npt.NDArray[Any]]) -> Any:
    """Hand the new arrays back in the shape in which the old ones came."""
    if isinstance(weights, Mapping):
        return new
    arrays = list(new.values())
    return arrays if isinstance(weights, Sequence) else arrays[0]


def flat_index(index: int | tuple[int, ...] | None, shape: tuple[int, ...], name: str) -> int:
    """Find a weight's place in the flattened tensor."""
    try:
        if isinstance(index, tuple):
            return int(np.ravel_multi_index(index, shape))
        return range(math.prod(shape))[index]  # type: ignore[index] # None is refused before
    except (IndexError, ValueError, TypeError):
        message = f"no index {index} in tensor {name!r} of shape {shape}"
        raise FpdriftError(message) from None


_Array = npt.NDArray[Any]


def perturb(weights: Any, how: Perturbation) -> tuple[Any, NudgeAccount]:
    """Nudge weights as described.

    Parameters
    ----------
    weights
        As for `nudge`.
    how : Perturbation

    Returns
    -------
    arrays, account
        As for `nudge`.

    Raises
    ------
    FpdriftError
        If there is no such tensor or weight.
    """
    old = named(weights)
    if how.kind != "noise" and how.tensor not in old:
        known = ", ".join(islice(old, 8)) + (", ..." if len(old) > 8 else "")
        message = f"no tensor {how.tensor!r}; there are: {known or 'none'}"
        raise FpdriftError(message)
    new, tensors = {}, []
    histogram = np.zeros((2, SLOTS), np.int64)
    # A stream for each tensor: its noise does not hang on the sizes of the others.
    streams = np.random.SeedSequence(how.seed).spawn(len(old))
    for (name, before), stream in zip(old.items(), streams, strict=True):
        new[name] = before.copy()
        a, b = before.reshape(-1), new[name].reshape(-1)
        meant = _move(how, name, b, before.shape, stream)
        tensors.append(count(name, a, b, meant, how))
        histogram += by_size(a[meant], b[meant])
    account = NudgeAccount(
        perturbation=how,
        tensors=tuple(tensors),
        binades=binades(histogram),
        zeros_meant=int(histogram[0, 0]),
        zeros_changed=int(histogram[1, 0]),
    )
    return like(weights, new), account


def _move(
    how: Perturbation,
    name: str,
    flat: _Array,
    shape: tuple[int, ...],
    stream: np.random.SeedSequence,
) -> _Array:
    """Nudge one flat tensor in place; give the indices that were meant."""
    fmt = FORMATS.get(flat.dtype.name)
    if how.kind == "noise" and fmt is not None:
        return add_noise(flat, how.size, how.fraction, np.random.default_rng(stream))
    if how.kind == "noise" or name != how.tensor:
        return np.empty(0, np.intp)
    if fmt is None:
        message = f"tensor {name!r} holds {flat.dtype}, no floats; choose another"
        raise FpdriftError(message)
    at = flat_index(how.index, shape, name)
    if how.bit is None:
        flat[at] = step(flat[at], fmt, how.steps)
    else:
        flat[at] = flip(flat[at], fmt, how.bit)
    return np.array([at])


def nudge(
    weights: Any, *, size: float = 1e-8, fraction: float = 0.5, seed: int = 1
) -> tuple[Any, NudgeAccount]:
    """Add clipped Gaussian noise to a share of the weights of every tensor.

    The noise is normal with standard deviation `size`, clipped to at most `size` either way, and
    rounded to the tensor's dtype (never beyond `size`); the sum is then rounded once, by the
    dtype's own addition. What is drawn is the same on every machine with the same NumPy.

    Parameters
    ----------
    weights : mapping of str to array, sequence of arrays, or one array
        float16, bfloat16, float32 or float64; left untouched. Integers and booleans are copied
        and never nudged. In a sequence the tensors are named by their place, ``"0"``, ``"1"``.
    size : float, default 1e-8
        Largest nudge, in the units of the weights.
    fraction : float, default 0.5
        Share of every tensor's finite weights, drawn without replacement; the count is rounded to
        the nearest whole number (a half to the even one).
    seed : int, default 1

    Returns
    -------
    arrays : dict, list or array, as given
        New arrays of the same shapes and dtypes.
    account : NudgeAccount
        Per tensor: how many weights were meant, changed and absorbed, and the largest change.

    Raises
    ------
    FpdriftError
        If a tensor holds no real numbers, or an argument is out of its range.

    Examples
    --------
    >>> import fpdrift, numpy as np
    >>> arrays, account = fpdrift.nudge(np.full(1000, 0.2, np.float32), size=5e-9)
    >>> account
    NudgeAccount(nudge 5e-09 on 0.5; 500 meant: 0 changed, 500 absorbed)
    """
    how = Perturbation(kind="noise", size=size, fraction=fraction, seed=seed)
    return perturb(weights, how)


def nudge_ulp(
    weights: Any, tensor: str | int, index: int | tuple[int, ...], steps: int = 1
) -> tuple[Any, NudgeAccount]:
    """Move one weight by `steps` ulps, up or (negative) down.

    Parameters
    ----------
    weights
        As for `nudge`.
    tensor : str or int
        Name of the tensor, or its place in a sequence.
    index : int or tuple of int
        Place in the flattened tensor (last axis fastest), or one index an axis; none negative.
    steps : int, default 1
        Floats to move by; a zero of either sign steps to the smallest subnormal.

    Returns
    -------
    arrays, account
        As for `nudge`.

    Raises
    ------
    FpdriftError
        If there is no such weight, it is a NaN, or the step would lead past infinity.
    """
    how = Perturbation(kind="ulp", tensor=str(tensor), index=index, steps=steps)
    return perturb(weights, how)


def flip_bit(
    weights: Any, tensor: str | int, index: int | tuple[int, ...], bit: int
) -> tuple[Any, NudgeAccount]:
    """Flip one bit of one weight, as a fault in memory would.

    Parameters
    ----------
    weights, tensor, index
        As for `nudge_ulp`.
    bit : int
        0 is the last bit of the significand, the highest the sign.

    Returns
    -------
    arrays, account
        As for `nudge`. The result may be an infinity or a NaN.

    Raises
    ------
    FpdriftError
        If there is no such weight or bit.
    """
    how = Perturbation(kind="bit", tensor=str(tensor), index=index, bit=bit)
    return perturb(weights, how)
