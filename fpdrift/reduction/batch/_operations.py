"""What is done to a row, and the numbers it is done with.

The same row in batches of several sizes, first and last in each, asked again and again.

What changes the row's bits can be the size of the batch, its place in it, the values of its
neighbours, or nothing at all: a function may give different bits each time. So each batch is
repeated, and asked once more with its neighbours' values replaced.
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

#: Shape of a row, and of the weights that it meets.
_SHAPES: dict[str, tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]] = {
    "matmul": ((4096,), ((4096, 128),)),
    "convolution": ((28, 28, 1), ((3, 3, 1, 32),)),
    "softmax": ((1000,), ()),
}
#: A row for a function of the user's own.
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
    """Say in a few words what is called, on which shapes."""
    return _HOW.get((library, name), "a function of your own, on rows of 512")


def draw(name: str, seed: int, rows: int) -> tuple[_Array, ...]:
    """Draw a batch of rows and the weights for one operation.

    Weights come first and each operation has a stream of its own: neither the size of the batch nor
    the other operations change a row.

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
    """Find the function that an operation's name stands for.

    Raises
    ------
    FpdriftError
        If TensorFlow is not installed, or there is no such function of the user's.
    """
    if name not in OPERATIONS:
        return _own(name)
    if library == "numpy":
        return _NUMPY[name]
    from fpdrift.backends import tensorflow as rows

    try:
        return rows.operation(name)
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or library) from None


def check_operations(operations: Sequence[str]) -> tuple[str, ...]:
    """Refuse names that can be no operation; give each once.

    Raises
    ------
    FpdriftError
    """
    ways = f"{', '.join(OPERATIONS)}, or a function of your own as module:function"
    names = _texts("operations", operations, ways)
    for name in names:
        if name not in OPERATIONS and not _OWN_NAME.fullmatch(name):
            message = f"unknown operation {short_repr(name)}; choose of {ways}"
            raise FpdriftError(message)
    return names


def check_libraries(libraries: Sequence[str]) -> tuple[str, ...]:
    """Refuse what is no library that batches are tried through; give each once.

    Raises
    ------
    FpdriftError
    """
    names = _texts("libraries", libraries, ", ".join(LIBRARIES))
    for name in names:
        check_choice("library", name, LIBRARIES)
    return names


def _texts(name: str, value: Any, ways: str) -> tuple[str, ...]:
    given = (value,) if isinstance(value, str) else value
    texts = isinstance(given, Sequence) and all(isinstance(text, str) for text in given)
    if not texts or not given:
        message = f"{name} is {short_repr(value)}; choose of {ways}"
        raise FpdriftError(message)
    return tuple(dict.fromkeys(given))


_OWN_NAME = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")


def _own(name: str) -> Operation:
    module, _, function = name.partition(":")
    try:
        found = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        message = (
            f"cannot find {short_repr(name)} ({error}); give module:function, importable from here"
        )
        raise FpdriftError(message) from None
    if not callable(found):
        message = f"{name} is {short_repr(found)}; name a function that takes a batch of rows"
        raise FpdriftError(message)
    return found  # type: ignore[no-any-return]  # a stranger's function has no known type


def _matmul(rows: _Array, weights: _Array) -> _Array:
    return rows @ weights


def _convolution(images: _Array, kernels: _Array) -> _Array:
    """Convolve as frameworks do it on a CPU: windows as the rows of one matrix (im2col)."""
    height, width, channels, filters = kernels.shape
    windows = np.lib.stride_tricks.sliding_window_view(images, (height, width), axis=(1, 2))
    # (batch, y, x, channels, height, width) -> one row a window, in the kernels' order
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
