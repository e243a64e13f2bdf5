"""The same row in batches of several sizes, first and last in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError
from fpdrift.floats import format_of
from fpdrift.reduction.batch.operations import Operation

_Array = npt.NDArray[Any]


def placements(batches: Sequence[int]) -> tuple[tuple[int, str], ...]:
    """List batch sizes with the row's place in them: "alone", or "first" and "last"."""
    return tuple(
        (size, place)
        for size in batches
        for place in (("alone",) if size == 1 else ("first", "last"))
    )


def row_results(
    operation: Operation, data: Sequence[_Array], batches: Sequence[int], name: str
) -> _Array:
    """Compute the first row of the data in each batch size and place.

    Parameters
    ----------
    operation : callable
        Takes a batch of rows (and the weights), gives a batch of results.
    data : sequence of numpy.ndarray
        At least as many rows as the largest batch, and the weights.
    batches : sequence of int
    name : str
        What to call the operation in an error.

    Returns
    -------
    numpy.ndarray
        (placements, ...) the row's result in each of `placements`.

    Raises
    ------
    FpdriftError
        If the operation raises, or gives no batch of finite floats.
    """
    rows, *weights = data
    results: list[_Array] = []
    for size, place in placements(batches):
        order = [*range(1, size), 0] if place == "last" else [*range(size)]
        try:
            given = np.asarray(operation(rows[order], *weights))
        except Exception as error:  # noqa: BLE001 - whatever a user's function raises
            message = f"{name} raises {type(error).__name__} at a batch of {size}: {error}"
            raise FpdriftError(" ".join(message.split())) from None
        _check(given, size, results, name)
        results.append(given[-1 if place == "last" else 0])
    return np.stack(results)


def _check(given: _Array, size: int, before: list[_Array], name: str) -> None:
    if given.ndim == 0 or len(given) != size or (before and given.shape[1:] != before[0].shape):
        message = f"{name} gives shape {given.shape} for a batch of {size}; give a result a row"
        raise FpdriftError(message)
    format_of(given.dtype)
    if before and given.dtype != before[0].dtype:
        message = f"{name} gives {given.dtype} at a batch of {size}, {before[0].dtype} before"
        raise FpdriftError(message)
    if not np.isfinite(given).all():
        message = f"{name} gives NaN or infinity at a batch of {size}; only finite results compare"
        raise FpdriftError(message)
