"""What is done to a row, and the numbers it is done with."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.checks import check_choice
from fpdrift.errors import FpdriftError, MissingExtraError, shown

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
    from fpdrift.frameworks import rows

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
            message = f"unknown operation {shown(name)}; choose of {ways}"
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
        message = f"{name} is {shown(value)}; choose of {ways}"
        raise FpdriftError(message)
    return tuple(dict.fromkeys(given))


_OWN_NAME = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")


def _own(name: str) -> Operation:
    module, _, function = name.partition(":")
    try:
        found = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        message = f"cannot find {shown(name)} ({error}); give module:function, importable from here"
        raise FpdriftError(message) from None
    if not callable(found):
        message = f"{name} is {shown(found)}; name a function that takes a batch of rows"
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
