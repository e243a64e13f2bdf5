"""Functions of libraries that add, by name: the black boxes that fpdrift knows in advance.

>>> from fpdrift.backends.summing_functions import box
>>> box("numpy:sum").kind
'sum'

Any other ``module:function`` is one, too, of the user's own: its code is imported and run.

Which functions of which libraries add, and the way of arrays there and back.

This table is the one place that lists black boxes known in advance.
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


@dataclass(frozen=True, slots=True)
class BlackBox:
    """A function of NumPy arrays that adds in an order nobody wrote down."""

    name: str
    #: what `call` takes and gives: "sum" and "mean" (n,) numbers, and a scalar; "dot" twice (n,)
    #: numbers, and a scalar; "matmul" two matrices, and their product
    kind: Kind
    call: Callable[..., Any]
    #: import name of what it needs
    library: str
    #: names of the dtypes that it takes
    dtypes: tuple[str, ...]


class Known(NamedTuple):
    """A black box known in advance, and whether it is here."""

    name: str
    kind: Kind
    dtypes: tuple[str, ...]
    #: why it cannot be used here, or None
    missing: str | None


def known() -> tuple[Known, ...]:
    """Name the black boxes known in advance, each with the reason if it is not here.

    Nothing is imported: a library that is installed may still fail to start.
    """
    return tuple(
        Known(name, kind, _dtypes(name, library), _missing(package))
        for package, library in LIBRARIES.items()
        for function, kind in library.functions.items()
        for name in [f"{package}:{function}"]
    )


def box(name: str, kind: Kind = "sum") -> BlackBox:
    """Look up a black box by name.

    Parameters
    ----------
    name : str
        One that `known` names, or ``module:function`` of your own, looked for in the current
        folder first. That module's code is run.
    kind : {"sum", "mean", "dot", "matmul"}
        What your own function computes; those known in advance have theirs.

    Raises
    ------
    MissingExtraError
        If it needs a library that is not installed and that an extra of ours brings.
    FpdriftError
        If there is no such thing, its library does not start here, or importing it fails.
    """
    check_choice("kind", kind, KINDS)
    package, colon, function = name.partition(":") if isinstance(name, str) else ("", "", "")
    if not (package and colon and function):
        message = (
            f"{short_repr(name)} is no black box; choose one such as numpy:sum, or module:function"
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
    there, back = library.there, library.back
    if there is None or back is None:
        return call

    def adapted(*arrays: Any) -> Any:
        with library.around(arrays[0].dtype):
            return back(call(*map(there, arrays)))

    return adapted


def _try(candidate: BlackBox) -> None:
    """Call it once, since a library may be installed and not find its device."""
    two = np.ones(2, np.float32)
    inputs = {"dot": (two, two), "matmul": (two[None], two[:, None])}.get(candidate.kind, (two,))
    try:
        candidate.call(*inputs)
    except Exception as error:
        message = f"{candidate.name} does not run here: {_told(error)}"
        raise FpdriftError(message) from error


def _own(module: str, function: str) -> Callable[..., Any]:
    """Import a function of the user's own; its folder stays on the path for what it imports."""
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
            message = f"there is no module {short_repr(module)}, neither here nor installed"
        else:
            message = f"importing {module} needs {short_repr(error.name)}, which is not installed"
        raise FpdriftError(message) from None
    except (Exception, SystemExit) as error:
        message = f"importing {short_repr(module)} raised {_told(error)}"
        raise FpdriftError(message) from error


def _function(home: Any, name: str, path: str) -> Callable[..., Any]:
    try:
        found: Callable[..., Any] = reduce(getattr, path.split("."), home)
    except AttributeError:
        message = f"there is no {name}; {short_repr(home.__name__)} has no {short_repr(path)}"
        raise FpdriftError(message) from None
    if not callable(found):
        message = f"{name} is {short_repr(found)}; name a function"
        raise FpdriftError(message)
    return found


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {short_repr(str(error))}"
