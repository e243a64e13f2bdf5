"""Read weights in the shapes that people hold them in, and hand them back the same way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError
from fpdrift.floats import FORMATS


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
