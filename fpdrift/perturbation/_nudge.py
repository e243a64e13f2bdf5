"""Nudge weights by noise, by ulps or by a flipped bit.

A nudge smaller than half an ulp of its weight is rounded away by the addition itself. The requested
size and the actual change are therefore different things, and the account reports both.
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
    """Add clipped noise to a share of a flat tensor in place, and return the drawn indices."""
    fmt = FORMATS[flat.dtype.name]
    places = np.flatnonzero(np.isfinite(flat))
    drawn = rng.choice(places, round(fraction * places.size), replace=False, shuffle=False)
    drawn.sort()
    limit = _largest_up_to(size, fmt)
    with np.errstate(over="ignore", under="ignore"):
        noise = np.clip(size * rng.standard_normal(drawn.size), -limit, limit)
        old = flat[drawn]
        new = old + noise.astype(fmt.dtype)
    # -0.0 + 0.0 is 0.0, but a nudge of size zero must not change the sign
    flat[drawn] = np.where(new == old, old, new)
    return drawn


def _largest_up_to(size: float, fmt: Format) -> float:
    """Return the largest finite number of the format that does not exceed `size`."""
    number = round_to(size, fmt)
    if not float(number) <= size or not math.isfinite(float(number)):
        number = from_ordinal(ordinal(number, fmt) - 1, fmt)
    return float(number)


def step(weight: Any, fmt: Format, steps: int) -> Any:
    """Move a float by a number of ulps."""
    if not steps:
        return weight
    if math.isnan(weight):
        message = "NaN has no neighbouring floats; choose another weight"
        raise FpdriftError(message)
    place = ordinal(weight, fmt) + steps
    if abs(place) > fmt.infinity_bits:
        message = f"{steps} ulps from {weight} lead past infinity; use fewer steps"
        raise FpdriftError(message)
    return from_ordinal(place, fmt)


def flip(weight: Any, fmt: Format, bit: int) -> Any:
    """Flip one bit of a float."""
    if bit >= fmt.bits:
        message = f"{fmt.name} has no bit {bit}; choose 0 to {fmt.bits - 1}"
        raise FpdriftError(message)
    return from_bits(to_bits(weight, fmt) ^ (1 << bit), fmt)


def arrays_by_name(weights: Any) -> dict[str, npt.NDArray[Any]]:
    """Return weights as arrays by name, in their order."""
    if isinstance(weights, Mapping):
        items = list(weights.items())
    elif isinstance(weights, Sequence) and not isinstance(weights, str | bytes):
        items = [(str(i), tensor) for i, tensor in enumerate(weights)]
    elif isinstance(weights, np.ndarray | np.generic):
        items = [("0", weights)]
    else:
        message = (
            f"weights is a {type(weights).__name__}; pass a dict or a list of arrays, or one array"
        )
        raise FpdriftError(message)
    if not all(isinstance(name, str) for name, _ in items):
        odd = next(name for name, _ in items if not isinstance(name, str))
        message = f"{odd!r} is not a valid tensor name; use strings as keys"
        raise FpdriftError(message)
    return {name: _tensor(name, tensor) for name, tensor in items}


def _tensor(name: str, values: Any) -> npt.NDArray[Any]:
    try:
        tensor = np.asarray(values)
    except (TypeError, ValueError, RuntimeError):
        message = f"tensor {name!r} cannot be converted to an array; pass arrays of numbers"
        raise FpdriftError(message) from None
    if tensor.dtype.name not in FORMATS and tensor.dtype.kind not in "biu":
        message = f"tensor {name!r} has dtype {tensor.dtype}; use one of {', '.join(FORMATS)}"
        raise FpdriftError(message)
    return np.ascontiguousarray(tensor, tensor.dtype.newbyteorder("=")).reshape(tensor.shape)


def like(weights: Any, new: dict[str, npt.NDArray[Any]]) -> Any:
    """Return the new arrays in the container type of the old ones."""
    if isinstance(weights, Mapping):
        return new
    arrays = list(new.values())
    return arrays if isinstance(weights, Sequence) else arrays[0]


def flat_index(index: int | tuple[int, ...] | None, shape: tuple[int, ...], name: str) -> int:
    """Return the index of a weight in the flattened tensor."""
    try:
        if isinstance(index, tuple):
            return int(np.ravel_multi_index(index, shape))
        return range(math.prod(shape))[index]  # type: ignore[index] # None is refused before
    except (IndexError, ValueError, TypeError):
        message = f"index {index} is out of range for tensor {name!r} of shape {shape}"
        raise FpdriftError(message) from None


_Array = npt.NDArray[Any]


def perturb(weights: Any, how: Perturbation) -> tuple[Any, NudgeAccount]:
    """Apply a perturbation to weights.

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
    old = arrays_by_name(weights)
    if how.kind != "noise" and how.tensor not in old:
        known = ", ".join(islice(old, 8)) + (", ..." if len(old) > 8 else "")
        message = f"no tensor {how.tensor!r}; choose one of: {known or 'none'}"
        raise FpdriftError(message)
    new, tensors = {}, []
    histogram = np.zeros((2, SLOTS), np.int64)
    # a separate stream for each tensor, so its noise does not depend on the sizes of the others
    streams = np.random.SeedSequence(how.seed).spawn(len(old))
    for (name, before), stream in zip(old.items(), streams, strict=True):
        new[name] = before.copy()
        a, b = before.reshape(-1), new[name].reshape(-1)
        selected = _nudge_tensor(how, name, b, before.shape, stream)
        tensors.append(count(name, a, b, selected, how))
        histogram += by_size(a[selected], b[selected])
    account = NudgeAccount(
        perturbation=how,
        tensors=tuple(tensors),
        binades=binades(histogram),
        zeros_meant=int(histogram[0, 0]),
        zeros_changed=int(histogram[1, 0]),
    )
    return like(weights, new), account


def _nudge_tensor(
    how: Perturbation,
    name: str,
    flat: _Array,
    shape: tuple[int, ...],
    stream: np.random.SeedSequence,
) -> _Array:
    """Nudge one flat tensor in place, and return the selected indices."""
    fmt = FORMATS.get(flat.dtype.name)
    if how.kind == "noise" and fmt is not None:
        return add_noise(flat, how.size, how.fraction, np.random.default_rng(stream))
    if how.kind == "noise" or name != how.tensor:
        return np.empty(0, np.intp)
    if fmt is None:
        message = f"tensor {name!r} has dtype {flat.dtype}; choose a floating-point tensor"
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

    The noise is normally distributed with standard deviation `size`, clipped to [-size, size] and
    rounded to the tensor's dtype (never beyond `size`). The sum is then rounded once, by addition
    in that dtype. The draws are the same on every machine with the same NumPy.

    Parameters
    ----------
    weights : mapping of str to array, sequence of arrays, or one array
        float16, bfloat16, float32 or float64; not modified. Integers and booleans are copied
        without a nudge. In a sequence, the tensors are named by their index, ``"0"``, ``"1"``.
    size : float, default 1e-8
        Largest nudge, in the units of the weights.
    fraction : float, default 0.5
        Share of every tensor's finite weights, drawn without replacement; the count is rounded to
        the nearest integer, ties to even.
    seed : int, default 1

    Returns
    -------
    arrays : dict, list or array, as given
        New arrays of the same shapes and dtypes.
    account : NudgeAccount
        For each tensor, how many weights were selected, how many changed, for how many the noise
        rounded away, and the largest change.

    Raises
    ------
    FpdriftError
        If a tensor does not contain real numbers, or an argument is out of range.

    Examples
    --------
    >>> import fpdrift, numpy as np
    >>> arrays, account = fpdrift.nudge(np.full(1000, 0.2, np.float32), size=5e-9)
    >>> account
    NudgeAccount(nudge 5e-09 on 0.5; 500 selected: 0 changed, 500 absorbed)
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
        Name of the tensor, or its index in a sequence.
    index : int or tuple of int
        Index in the flattened tensor (last axis fastest), or one index per axis; not negative.
    steps : int, default 1
        Number of floats to move by; a step from zero of either sign leads to the smallest
        subnormal.

    Returns
    -------
    arrays, account
        As for `nudge`.

    Raises
    ------
    FpdriftError
        If there is no such weight, it is NaN, or the steps would exceed infinity.
    """
    how = Perturbation(kind="ulp", tensor=str(tensor), index=index, steps=steps)
    return perturb(weights, how)


def flip_bit(
    weights: Any, tensor: str | int, index: int | tuple[int, ...], bit: int
) -> tuple[Any, NudgeAccount]:
    """Flip one bit of one weight, as a memory error would.

    Parameters
    ----------
    weights, tensor, index
        As for `nudge_ulp`.
    bit : int
        0 is the last bit of the significand, the highest bit is the sign.

    Returns
    -------
    arrays, account
        As for `nudge`. The result may be infinite or NaN.

    Raises
    ------
    FpdriftError
        If there is no such weight or bit.
    """
    how = Perturbation(kind="bit", tensor=str(tensor), index=index, bit=bit)
    return perturb(weights, how)
