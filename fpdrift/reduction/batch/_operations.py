"""Define the operations on a row and its numbers, and compute the row in several batches.

The row's bits may change because of the batch size, the row's position in the batch, the values of
its neighbours, or for no reason: a function may give different bits each time. So the row is
computed first and last in each batch, each batch is repeated, and each is computed once more with
the neighbours' values replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError, MissingExtraError, short_repr
from fpdrift.floats import format_of
from fpdrift.validation import check_choice

_Array = npt.NDArray[Any]
Operation = Callable[..., Any]

LIBRARIES = ("numpy", "tensorflow")
OPERATIONS = ("matmul", "convolution", "softmax")

#: Shape of a row, and of the weights that it is combined with.
_SHAPES: dict[str, tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]] = {
    "matmul": ((4096,), ((4096, 128),)),
    "convolution": ((28, 28, 1), ((3, 3, 1, 32),)),
    "softmax": ((1000,), ()),
}
#: The same for a user-defined function.
_OWN: tuple[tuple[int, ...], tuple[tuple[int, ...], ...]] = ((512,), ())

_HOW = {
    ("numpy", "matmul"): "rows @ weights, 4096 to 128",
    ("numpy", "convolution"): "sliding windows as one matrix @ kernels, 32 of 3x3 over 28x28",
    ("numpy", "softmax"): "exp(row - max) / sum, 1000 classes",
    ("tensorflow", "matmul"): "tf.matmul, 4096 to 128",
    ("tensorflow", "convolution"): "tf.nn.conv2d, 32 kernels of 3x3 over 28x28",
    ("tensorflow", "softmax"): "tf.nn.softmax, 1000 classes",
}


def how(library: str, name: str) -> str:
    """Describe in a few words what is called, and on which shapes."""
    return _HOW.get((library, name), "user-defined function, on rows of 512")


def draw(name: str, seed: int, rows: int) -> tuple[_Array, ...]:
    """Draw a batch of rows and the weights for one operation.

    Weights are drawn first and each operation has its own random stream, so that neither the batch
    size nor the other operations change a row.

    Returns
    -------
    tuple of numpy.ndarray
        The batch, (rows, ...), and the weights; all float32 and standard normal.
    """
    place = OPERATIONS.index(name) if name in OPERATIONS else len(OPERATIONS)
    rng = np.random.default_rng([seed, place])
    row, weights = _SHAPES.get(name, _OWN)
    drawn = [rng.standard_normal(shape, np.float32) for shape in weights]
    return rng.standard_normal((rows, *row), np.float32), *drawn


def resolve(library: str, name: str) -> Operation:
    """Return the function of an operation's name.

    Raises
    ------
    FpdriftError
        If TensorFlow is not installed, or the user-defined function does not exist.
    """
    if name not in OPERATIONS:
        return own(name)
    if library == "numpy":
        return _NUMPY[name]
    from fpdrift.backends import tensorflow as rows

    try:
        return rows.operation(name)
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or library) from None


def check_operations(operations: Sequence[str]) -> tuple[str, ...]:
    """Return the names of operations without duplicates.

    Raises
    ------
    FpdriftError
    """
    ways = f"{', '.join(OPERATIONS)}, or your own function as module:function"
    names = unique_texts("operations", operations, ways)
    for name in names:
        if name not in OPERATIONS and not OWN_NAME.fullmatch(name):
            message = f"unknown operation {short_repr(name)}; choose from {ways}"
            raise FpdriftError(message)
    return names


def check_libraries(libraries: Sequence[str]) -> tuple[str, ...]:
    """Return the names of libraries without duplicates.

    Raises
    ------
    FpdriftError
    """
    names = unique_texts("libraries", libraries, ", ".join(LIBRARIES))
    for name in names:
        check_choice("library", name, LIBRARIES)
    return names


def unique_texts(name: str, value: Any, ways: str) -> tuple[str, ...]:
    """Return the texts in an argument without duplicates; raise FpdriftError if it has none."""
    items = (value,) if isinstance(value, str) else value
    texts = isinstance(items, Sequence) and all(isinstance(text, str) for text in items)
    if not texts or not items:
        message = f"{name} is {short_repr(value)}; choose from {ways}"
        raise FpdriftError(message)
    return tuple(dict.fromkeys(items))


#: A user-defined function, as module:function.
OWN_NAME = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")


def own(name: str) -> Operation:
    """Return a user-defined function by its name; raise FpdriftError if it does not exist."""
    module, _, function = name.partition(":")
    try:
        found = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        message = f"cannot import {short_repr(name)} ({error}); pass an importable module:function"
        raise FpdriftError(message) from None
    if not callable(found):
        message = f"{name} is {short_repr(found)}; use the name of a function of a batch of rows"
        raise FpdriftError(message)
    return found  # type: ignore[no-any-return]  # a user's function has no known type


def _matmul(rows: _Array, weights: _Array) -> _Array:
    return rows @ weights


def _convolution(images: _Array, kernels: _Array) -> _Array:
    """Convolve like a framework on a CPU: the windows are the rows of one matrix (im2col)."""
    height, width, channels, filters = kernels.shape
    windows = np.lib.stride_tricks.sliding_window_view(images, (height, width), axis=(1, 2))
    # (batch, y, x, channels, height, width) -> one row per window, in the kernels' order
    flat = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, height * width * channels)
    return (flat @ kernels.reshape(-1, filters)).reshape(*windows.shape[:3], filters)


def _softmax(rows: _Array) -> _Array:
    powers = np.exp(rows - rows.max(axis=-1, keepdims=True))
    result: _Array = powers / powers.sum(axis=-1, keepdims=True)
    return result


_NUMPY: dict[str, Operation] = {
    "matmul": _matmul,
    "convolution": _convolution,
    "softmax": _softmax,
}


#: Repeats of each batch; and repeats if anything differs, before a cause is named.
REPEATS, MORE_REPEATS = 3, 20


#: Factor for the neighbours' values; it changes their signs and magnitudes.
_REPLACED = -3.0


@dataclass(frozen=True, slots=True)
class RowResults:
    """The results of one row in each of `placements`, or of a function at each address."""

    #: (placements, ...)
    values: _Array
    #: number of repeats of each
    repeats: int
    #: (placements,) whether a repeat gave different bits
    unsteady: tuple[bool, ...]
    #: (placements,) whether other values of the neighbours gave the row different bits; empty for
    #: addresses
    neighbours: tuple[bool, ...]


def placements(batches: Sequence[int]) -> tuple[tuple[int, str], ...]:
    """Return batch sizes with the row's position in them: "alone", or "first" and "last"."""
    return tuple(
        (size, place)
        for size in batches
        for place in (("alone",) if size == 1 else ("first", "last"))
    )


def row_results(
    operation: Operation, data: Sequence[_Array], batches: Sequence[int], name: str
) -> RowResults:
    """Compute the first row of the data in each batch size and position.

    Parameters
    ----------
    operation : callable
        Takes a batch of rows (and the weights), returns a batch of results.
    data : sequence of numpy.ndarray
        As many rows as the largest batch, or more, and the weights.
    batches : sequence of int
    name : str
        Name of the operation for error messages.

    Raises
    ------
    FpdriftError
        If the operation raises, or does not return a batch of finite floats.
    """
    rows, *weights = data
    results: list[_Array] = []

    def compute(size: int, place: str, factor: float = 1) -> _Array:
        here = rows[[*range(1, size), 0] if place == "last" else [*range(size)]]
        where = size - 1 if place == "last" else 0
        here[np.arange(size) != where] *= here.dtype.type(factor)
        given = call(operation, (here, *weights), name, f"a batch of {size}")
        _check(given, size, results, name)
        row: _Array = given[where].copy()
        return row

    places = placements(batches)
    results += [compute(*place) for place in places]
    neighbours = [
        compute(*place, factor=_REPLACED).tobytes() != one.tobytes()
        for place, one in zip(places, results, strict=True)
    ]
    repeats, unsteady = repeat(compute, places, results, more=any(neighbours))
    return RowResults(np.stack(results), repeats, unsteady, tuple(neighbours))


def call(operation: Operation, arrays: Sequence[_Array], name: str, what: str) -> _Array:
    """Return the operation's result; raise FpdriftError with its name if it raises anything."""
    try:
        return np.asarray(operation(*arrays))
    except Exception as error:  # noqa: BLE001 - whatever a user's function raises
        message = f"{name} raised {type(error).__name__} for {what}: {error}"
        raise FpdriftError(" ".join(message.split())) from None


def repeat(
    compute: Callable[..., _Array],
    places: Sequence[tuple[Any, ...]],
    results: Sequence[_Array],
    *,
    more: bool = False,
) -> tuple[int, tuple[bool, ...]]:
    """Compute again what gave the results: more often if they differ, or if asked for.

    Returns
    -------
    tuple
        The number of repeats of each, and for each whether one of them gave different bits.
    """
    more = more or len({one.tobytes() for one in results}) > 1
    repeats = MORE_REPEATS if more else REPEATS
    return repeats, tuple(
        any(compute(*place).tobytes() != one.tobytes() for _ in range(repeats))
        for place, one in zip(places, results, strict=True)
    )


def _check(given: _Array, size: int, before: list[_Array], name: str) -> None:
    if given.ndim == 0 or len(given) != size or (before and given.shape[1:] != before[0].shape):
        message = (
            f"{name} returned shape {given.shape} for a batch of {size}; return one result per row"
        )
        raise FpdriftError(message)
    check_finite(given, name, f"a batch of {size}")
    if before and given.dtype != before[0].dtype:
        message = f"{name} returned {given.dtype} for a batch of {size}, {before[0].dtype} before"
        raise FpdriftError(message)


def check_finite(given: _Array, name: str, what: str) -> None:
    """Raise FpdriftError if a result is not made of finite floats."""
    format_of(given.dtype)
    if not np.isfinite(given).all():
        message = f"{name} returned NaN or infinity for {what}; results must be finite"
        raise FpdriftError(message)
