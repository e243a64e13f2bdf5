"""Which functions of which libraries add, and the way of arrays there and back.

This table is the one place that lists black boxes known in advance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from fpdrift.frameworks.alignment import aligned_copy

Kind = Literal["sum", "mean", "dot", "matmul"]
KINDS: tuple[Kind, ...] = ("sum", "mean", "dot", "matmul")

ALL_DTYPES = ("float16", "bfloat16", "float32", "float64")
_NATIVE = ("float16", "float32", "float64")

#: Copies beside the row or column that counts, so that NumPy does not take a matrix for a vector.
_COPIES = 8


@dataclass(frozen=True, slots=True)
class Library:
    """A library's functions, and the way of arrays there and back."""

    #: import name of what holds the functions
    home: str
    functions: dict[str, Kind]
    there: Callable[[Any], Any] | None = None
    back: Callable[[Any], Any] | None = None
    dtypes: tuple[str, ...] = ALL_DTYPES
    install: str = ""
    #: takes a dtype, and holds what the library needs to compute in it
    around: Callable[[Any], AbstractContextManager[Any]] = lambda _: nullcontext()


def _axis0(x: Any) -> Any:
    return np.add.reduce(np.repeat(x[:, None], _COPIES, axis=1), axis=0)[0]


def _axis1(x: Any) -> Any:
    return np.add.reduce(np.tile(x, (_COPIES, 1)), axis=1)[0]


def _einsum(x: Any) -> Any:
    return np.einsum("i->", x)


def _fsum(x: Any) -> Any:
    return x.dtype.type(math.fsum(x.tolist()))


#: Where the function is not the library's own of that name.
ADAPTED: dict[str, Callable[[Any], Any]] = {
    "math:fsum": _fsum,
    "numpy:add.reduce.axis0": _axis0,
    "numpy:add.reduce.axis1": _axis1,
    "numpy:einsum": _einsum,
}

#: Which functions know fewer dtypes than their library.
NARROWER = {"numpy:einsum": _NATIVE, "numpy:matmul": _NATIVE}


def _to_tensorflow(x: Any) -> Any:
    import tensorflow as tf

    return tf.constant(x)


def _to_torch(x: Any) -> Any:
    """PyTorch does not know NumPy's bfloat16, so that goes as bits; it asks for writeable ones.

    The copy keeps the alignment, which decides in which order PyTorch's dot product adds.
    """
    import torch

    copy = aligned_copy(x)
    if x.dtype.name == "bfloat16":
        return torch.from_numpy(copy.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(copy)


def _from_torch(x: Any) -> Any:
    import ml_dtypes
    import torch

    if x.dtype == torch.bfloat16:
        return x.view(torch.int16).numpy().view(ml_dtypes.bfloat16)[()]
    return x.numpy()[()]


def jax_keeps(dtype: Any) -> AbstractContextManager[Any]:
    """Let JAX keep float64 in a block: it makes float32 of it elsewhere, unless it is told not to.

    What others compute in this process stays as it is.
    """
    import jax

    if dtype != np.float64:
        return nullcontext()
    home = jax if hasattr(jax, "enable_x64") else jax.experimental  # as it was before JAX 0.8
    keeps: AbstractContextManager[Any] = home.enable_x64(True)
    return keeps


def _to_jax(x: Any) -> Any:
    import jax

    return jax.numpy.asarray(x)


def _to_cupy(x: Any) -> Any:
    import cupy

    return cupy.asarray(x)


LIBRARIES = {
    "math": Library("math", {"fsum": "sum"}),
    "numpy": Library(
        "numpy",
        {
            "sum": "sum",
            "add.reduce": "sum",
            "add.reduce.axis0": "sum",
            "add.reduce.axis1": "sum",
            "einsum": "sum",
            "mean": "mean",
            "dot": "dot",
            "matmul": "matmul",
        },
    ),
    "tensorflow": Library(
        "tensorflow",
        {"reduce_sum": "sum", "reduce_mean": "mean", "matmul": "matmul"},
        _to_tensorflow,
        lambda x: x.numpy(),
    ),
    "torch": Library(
        "torch",
        {"sum": "sum", "mean": "mean", "dot": "dot", "matmul": "matmul"},
        _to_torch,
        _from_torch,
        install="torch",
    ),
    "jax": Library(
        "jax.numpy",
        {"sum": "sum", "mean": "mean", "dot": "dot", "matmul": "matmul"},
        _to_jax,
        lambda x: np.asarray(x)[()],
        install="jax",
        around=jax_keeps,
    ),
    "cupy": Library(
        "cupy",
        {"sum": "sum", "mean": "mean", "dot": "dot", "matmul": "matmul"},
        _to_cupy,
        lambda x: x.get()[()],
        dtypes=_NATIVE,
        install="cupy-cuda12x",
    ),
}
