"""Define functions of NumPy, SciPy and TensorFlow, and compute each at several memory addresses.

A kernel that reads whole vectors treats the numbers in front of the first aligned address
separately, so the order of its additions may depend on the address. A function that copies its
input, as TensorFlow does, cannot depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.backends.devices import LINE, aligned_zeros, offset_of
from fpdrift.errors import FpdriftError, MissingExtraError, short_repr
from fpdrift.reduction.batch._operations import (
    OWN_NAME,
    Operation,
    RowResults,
    call,
    check_finite,
    own,
    repeat,
    unique_texts,
)

_Array = npt.NDArray[Any]

#: Number of addresses: 0 to 7 elements behind a multiple of 64 bytes.
ALIGNMENTS = 8
DTYPES = ("float32", "float64")

#: Shapes of the inputs: a vector, a square matrix, and a vector to multiply with it. None is a
#: multiple of the width of a vector register, so the rows of a matrix are at many alignments.
_SHAPES = {"v": (1003,), "s": (45, 45), "w": (45,)}

#: Functions by module, each with the shapes of its inputs.
_FUNCTIONS = {
    "numpy": "sum:v mean:v std:v var:v cumsum:v dot:vv vdot:vv convolve:vv inner:sw matmul:ss "
    "exp:v sin:v tanh:v expm1:v cbrt:v hypot:vv logaddexp:vv corrcoef:s",
    "numpy.linalg": "norm:v solve:sw inv:s det:s eigvalsh:s",
    "numpy.fft": "rfft:v",
    "scipy.linalg.blas": "sasum:v dasum:v snrm2:v dnrm2:v sdot:vv ddot:vv",
    "scipy.linalg": "norm:v solve:sw inv:s det:s eigvalsh:s svdvals:s expm:s",
    "scipy.special": "erf:v expit:v logsumexp:v softmax:v",
    "scipy.fft": "rfft:v dct:v",
    "scipy.ndimage": "laplace:s sobel:s",
    "scipy.spatial.distance": "euclidean:vv cosine:vv pdist:s",
    "tensorflow": "reduce_sum:v reduce_mean:v cumsum:v norm:v matmul:ss exp:v tanh:v sigmoid:v",
    "tensorflow.math": "reduce_std:v reduce_variance:v reduce_logsumexp:v erf:v",
    "tensorflow.nn": "softmax:s log_softmax:s gelu:v l2_loss:v",
    "tensorflow.linalg": "matvec:sw inv:s det:s",
    "tensorflow.signal": "rfft:v",
}
#: name -> shapes of the inputs, such as "scipy.linalg.blas:dasum" -> "v"
_INPUTS = {
    f"{module}:{function}": shapes
    for module, functions in _FUNCTIONS.items()
    for function, _, shapes in (text.partition(":") for text in functions.split())
}
FUNCTIONS = tuple(_INPUTS)


def check_functions(functions: Sequence[str]) -> tuple[str, ...]:
    """Return the names of functions without duplicates.

    Raises
    ------
    FpdriftError
        If one is unknown and is not a user-defined function.
    """
    ways = "numpy:sum, for example, or your own function as module:function"
    names = unique_texts("operations", functions, ways)
    for name in names:
        if not OWN_NAME.fullmatch(name):
            message = f"unknown function {short_repr(name)}; choose from {ways}"
            raise FpdriftError(message)
    return names


def tasks(functions: Sequence[str]) -> tuple[str, ...]:
    """Return functions with their dtypes, such as "numpy:sum float32"; BLAS names imply theirs."""
    implied = {"s": DTYPES[:1], "d": DTYPES[1:]}
    return tuple(
        f"{name} {dtype}"
        for name in functions
        for dtype in (
            implied[name.partition(":")[2][0]]
            if name in _INPUTS and name.startswith("scipy.linalg.blas:")
            else DTYPES
        )
    )


def runs_in(name: str, library: str) -> bool:
    """Return whether a library's process computes a function: any computes a user's own."""
    home = name.partition(".")[0].partition(":")[0]
    return name not in _INPUTS or library == ("tensorflow" if home == "tensorflow" else "numpy")


def draw_inputs(task: str, seed: int) -> tuple[_Array, ...]:
    """Draw the inputs of a function with its dtype: standard normal, the same for both dtypes."""
    name, _, dtype = task.partition(" ")
    rng = np.random.default_rng(seed)
    return tuple(
        rng.standard_normal(_SHAPES[shape]).astype(dtype) for shape in _INPUTS.get(name, "v")
    )


def results_at_addresses(task: str, inputs: Sequence[_Array]) -> RowResults:
    """Compute a function with its inputs at each of `ALIGNMENTS` offsets from a multiple of 64.

    All inputs of one call are at the same offset. Every call, repeats included, gets new memory.

    Raises
    ------
    FpdriftError
        If the function does not exist, raises, or does not return finite numbers.
    """
    name, _, dtype = task.partition(" ")
    function = _resolve(name)

    def compute(offset: int) -> _Array:
        what = f"{dtype} at an offset of {offset} bytes"
        given = call(function, [_placed(array, offset) for array in inputs], name, what)
        if given.dtype.kind == "c":
            given = np.stack([given.real, given.imag])
        check_finite(given, name, what)
        return given.copy()

    places = [(offset,) for offset in offsets(dtype)]
    results = [compute(*place) for place in places]
    repeats, unsteady = repeat(compute, places, results)
    return RowResults(_narrowed(np.stack(results), dtype), repeats, unsteady, ())


def _narrowed(values: _Array, dtype: str) -> _Array:
    """Return values in the inputs' dtype if all are exact in it: BLAS returns Python's floats."""
    with np.errstate(over="ignore"):
        narrow = values.astype(dtype)
    return narrow if (narrow == values).all() else values


def offsets(dtype: str) -> tuple[int, ...]:
    """Return the offsets of the inputs in bytes: 0 to 7 elements."""
    return tuple(range(0, ALIGNMENTS * np.dtype(dtype).itemsize, np.dtype(dtype).itemsize))


def copies_at_addresses(array: _Array) -> list[_Array]:
    """Return a copy of an array at each of the offsets."""
    return [_placed(array, offset) for offset in offsets(array.dtype.name)]


def _placed(array: _Array, offset: int) -> _Array:
    """Return a copy at an offset from a multiple of 64 bytes."""
    copy = aligned_zeros(array.shape, array.dtype, offset)
    copy[...] = array
    if offset_of(copy) != offset:
        message = f"the memory is at offset {offset_of(copy)} of {LINE} bytes, not {offset}"
        raise FpdriftError(message)
    return copy


def _resolve(name: str) -> Operation:
    if name not in _INPUTS:
        return own(name)
    module, _, path = name.partition(":")
    if not module.startswith("tensorflow"):
        function: Operation = getattr(import_module(module), path)
        return function
    from fpdrift.backends import tensorflow

    try:
        return tensorflow.function_of_arrays(f"{module}.{path}".partition(".")[2])
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "tensorflow") from None
