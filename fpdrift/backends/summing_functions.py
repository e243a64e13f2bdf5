"""Look up functions of libraries that add, by name, and convert arrays to and from the library.

>>> from fpdrift.backends.summing_functions import box
>>> box("numpy:sum").kind
'sum'

Any other ``module:function`` is the user's own: its code is imported and run. The table `LIBRARIES`
is the only list of known functions.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from fpdrift.backends.devices import aligned_copy, quiet
from fpdrift.errors import EXTRA_OF, FpdriftError, MissingExtraError, short_repr
from fpdrift.validation import check_choice

Kind = Literal["sum", "mean", "dot", "matmul"]
KINDS: tuple[Kind, ...] = ("sum", "mean", "dot", "matmul")

ALL_DTYPES = ("float16", "bfloat16", "float32", "float64")
_NATIVE = ("float16", "float32", "float64")

#: Copies of the row or column of interest, so that NumPy does not treat a matrix as a vector.
_COPIES = 8


@dataclass(frozen=True, slots=True)
class Library:
    """A library's functions, and the conversion of arrays."""

    #: import name of the module with the functions
    home: str
    functions: dict[str, Kind]
    #: converts NumPy arrays to the library's, and back; None if it takes NumPy arrays
    to_library: Callable[[Any], Any] | None = None
    to_numpy: Callable[[Any], Any] | None = None
    dtypes: tuple[str, ...] = ALL_DTYPES
    install: str = ""
    #: returns a context in which the library computes in a dtype
    around: Callable[[Any], AbstractContextManager[Any]] = lambda _: nullcontext()


def _axis0(x: Any) -> Any:
    return np.add.reduce(np.repeat(x[:, None], _COPIES, axis=1), axis=0)[0]


def _axis1(x: Any) -> Any:
    return np.add.reduce(np.tile(x, (_COPIES, 1)), axis=1)[0]


def _einsum(x: Any) -> Any:
    return np.einsum("i->", x)


def _fsum(x: Any) -> Any:
    return x.dtype.type(math.fsum(x.tolist()))


#: Functions that are not the library's own of that name.
ADAPTED: dict[str, Callable[[Any], Any]] = {
    "math:fsum": _fsum,
    "numpy:add.reduce.axis0": _axis0,
    "numpy:add.reduce.axis1": _axis1,
    "numpy:einsum": _einsum,
}

#: Functions that support fewer dtypes than their library.
NARROWER = {"numpy:einsum": _NATIVE, "numpy:matmul": _NATIVE}


def _to_tensorflow(x: Any) -> Any:
    import tensorflow as tf

    return tf.constant(x)


def _to_torch(x: Any) -> Any:
    """Convert to a PyTorch tensor; bfloat16, which PyTorch cannot read from NumPy, as bits.

    PyTorch needs writeable memory. The copy keeps the alignment, on which the order of PyTorch's
    dot product depends.
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
    """Let JAX keep float64 within a block; by default it converts float64 to float32.

    Other computations in this process are not affected.
    """
    import jax

    if dtype != np.float64:
        return nullcontext()
    home = jax if hasattr(jax, "enable_x64") else jax.experimental  # before JAX 0.8
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


@dataclass(frozen=True, slots=True)
class BlackBox:
    """A function of NumPy arrays that adds in an undocumented order."""

    name: str
    #: arguments and value of `call`: for "sum" and "mean", (n,) numbers and a scalar; for "dot",
    #: twice (n,) numbers and a scalar; for "matmul", two matrices and their product
    kind: Kind
    call: Callable[..., Any]
    #: import name of the library that it needs
    library: str
    #: names of the supported dtypes
    dtypes: tuple[str, ...]


class Known(NamedTuple):
    """A known function, and whether it is available."""

    name: str
    kind: Kind
    dtypes: tuple[str, ...]
    #: why it is not available, or None
    missing: str | None


def known() -> tuple[Known, ...]:
    """Return the known functions, each with the reason if it is not available.

    Nothing is imported: a library that is installed may still fail to start.
    """
    return tuple(
        Known(name, kind, _dtypes(name, library), _missing(package))
        for package, library in LIBRARIES.items()
        for function, kind in library.functions.items()
        for name in [f"{package}:{function}"]
    )


def box(name: str, kind: Kind = "sum") -> BlackBox:
    """Return a function that adds, by name.

    Parameters
    ----------
    name : str
        A name from `known`, or your own ``module:function``, which is searched for in the current
        folder first. That module's code is run.
    kind : {"sum", "mean", "dot", "matmul"}
        What your own function computes; ignored for known functions.

    Raises
    ------
    MissingExtraError
        If it needs a library that is not installed and that an fpdrift extra provides.
    FpdriftError
        If there is no such function, its library does not start, or importing it fails.
    """
    check_choice("kind", kind, KINDS)
    package, colon, function = name.partition(":") if isinstance(name, str) else ("", "", "")
    if not (package and colon and function):
        message = (
            f"{short_repr(name)} is not a function; use numpy:sum, for example, or module:function"
        )
        raise FpdriftError(message)
    library = LIBRARIES.get(package)
    if library is None or function not in library.functions:
        return BlackBox(name, kind, _own(package, function), package, ALL_DTYPES)
    if _missing(package):
        raise _not_installed(package)
    with quiet():
        call = _adapted(name, library, function)
        found = BlackBox(name, library.functions[function], call, package, _dtypes(name, library))
        _try(found)
    return found


def _dtypes(name: str, library: Library) -> tuple[str, ...]:
    return NARROWER.get(name, library.dtypes)


def _missing(package: str) -> str | None:
    if sys.modules.get(package) or importlib.util.find_spec(package):
        return None
    return str(_not_installed(package))


def _not_installed(package: str) -> FpdriftError:
    if package in EXTRA_OF:
        return MissingExtraError(package)
    install = LIBRARIES[package].install
    return FpdriftError(f"{package} is not installed; run: pip install {install}")


def _adapted(name: str, library: Library, function: str) -> Callable[..., Any]:
    if name in ADAPTED:
        return ADAPTED[name]
    call = _function(_imported(library.home), name, function)
    to_library, to_numpy = library.to_library, library.to_numpy
    if to_library is None or to_numpy is None:
        return call

    def adapted(*arrays: Any) -> Any:
        with library.around(arrays[0].dtype):
            return to_numpy(call(*map(to_library, arrays)))

    return adapted


def _try(candidate: BlackBox) -> None:
    """Call it once, because an installed library may not find its device."""
    two = np.ones(2, np.float32)
    inputs = {"dot": (two, two), "matmul": (two[None], two[:, None])}.get(candidate.kind, (two,))
    try:
        candidate.call(*inputs)
    except Exception as error:
        message = f"{candidate.name} does not run here: {_describe(error)}"
        raise FpdriftError(message) from error


def _own(module: str, function: str) -> Callable[..., Any]:
    """Import a user's function; its folder stays on the path for its own imports."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
        importlib.invalidate_caches()
    return _function(_imported(module), f"{module}:{function}", function)


def _imported(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            message = f"no module {short_repr(module)} in the current folder or installed"
        else:
            message = f"importing {module} needs {short_repr(error.name)}, which is not installed"
        raise FpdriftError(message) from None
    except (Exception, SystemExit) as error:
        message = f"importing {short_repr(module)} raised {_describe(error)}"
        raise FpdriftError(message) from error


def _function(home: Any, name: str, path: str) -> Callable[..., Any]:
    try:
        found: Callable[..., Any] = reduce(getattr, path.split("."), home)
    except AttributeError:
        message = f"{name} does not exist; {short_repr(home.__name__)} has no {short_repr(path)}"
        raise FpdriftError(message) from None
    if not callable(found):
        message = f"{name} is {short_repr(found)}; use the name of a function"
        raise FpdriftError(message)
    return found


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {short_repr(str(error))}"
