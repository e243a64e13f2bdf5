"""The same row in batches of several sizes, first and last in each, asked again and again.

What changes the row's bits can be the size of the batch, its place in it, the values of its
neighbours, or nothing at all: a function may give different bits each time. So each batch is
repeated, and asked once more with its neighbours' values replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError
from fpdrift.floats import format_of
from fpdrift.reduction.batch.operations import Operation

_Array = npt.NDArray[Any]

#: How often each batch is repeated; and how often where anything differs, before a cause is named.
REPEATS, MORE_REPEATS = 3, 20


#: Neighbours are multiplied by it, which changes their signs and sizes.
_REPLACED = -3.0


@dataclass(frozen=True, slots=True)
class RowResults:
    """One row's results in each of `placements`."""

    #: (placements, ...)
    values: _Array
    #: how often each batch was repeated
    repeats: int
    #: (placements,) whether a repeat gave the row different bits
    unsteady: tuple[bool, ...]
    #: (placements,) whether other values of the neighbours did
    neighbours: tuple[bool, ...]


def placements(batches: Sequence[int]) -> tuple[tuple[int, str], ...]:
    """List batch sizes with the row's place in them: "alone", or "first" and "last"."""
    return tuple(
        (size, place)
        for size in batches
        for place in (("alone",) if size == 1 else ("first", "last"))
    )


def row_results(
    operation: Operation, data: Sequence[_Array], batches: Sequence[int], name: str
) -> RowResults:
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

    Raises
    ------
    FpdriftError
        If the operation raises, or returns no batch of finite floats.
    """
    rows, *weights = data
    results: list[_Array] = []

    def ask(size: int, place: str, factor: float = 1) -> _Array:
        here = rows[[*range(1, size), 0] if place == "last" else [*range(size)]]
        where = size - 1 if place == "last" else 0
        here[np.arange(size) != where] *= here.dtype.type(factor)
        try:
            given = np.asarray(operation(here, *weights))
        except Exception as error:  # noqa: BLE001 - whatever a user's function raises
            message = f"{name} raises {type(error).__name__} at a batch of {size}: {error}"
            raise FpdriftError(" ".join(message.split())) from None
        _check(given, size, results, name)
        row: _Array = given[where].copy()
        return row

    places = placements(batches)
    results += [ask(*place) for place in places]
    unsteady = [
        _differs(ask, place, one, REPEATS) for place, one in zip(places, results, strict=True)
    ]
    neighbours = [
        ask(*place, factor=_REPLACED).tobytes() != one.tobytes()
        for place, one in zip(places, results, strict=True)
    ]
    repeats = REPEATS
    if any(neighbours) or len({one.tobytes() for one in results}) > 1:
        repeats = MORE_REPEATS
        unsteady = [
            known or _differs(ask, place, one, MORE_REPEATS - REPEATS)
            for known, place, one in zip(unsteady, places, results, strict=True)
        ]
    return RowResults(np.stack(results), repeats, tuple(unsteady), tuple(neighbours))


def _differs(ask: Callable[..., _Array], place: tuple[int, str], one: _Array, times: int) -> bool:
    return any(ask(*place).tobytes() != one.tobytes() for _ in range(times))


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
