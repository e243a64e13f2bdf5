"""Functions of libraries that add, by name: the black boxes that fpdrift knows in advance.

>>> from fpdrift.frameworks.boxes import box
>>> box("numpy:sum").kind
'sum'

Any other ``module:function`` is one, too, of the user's own: its code is imported and run.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fpdrift.checks import check_choice
from fpdrift.errors import EXTRA_OF, FpdriftError, MissingExtraError, shown
from fpdrift.frameworks.libraries import (
    ADAPTED,
    ALL_DTYPES,
    KINDS,
    LIBRARIES,
    NARROWER,
    Kind,
    Library,
)
from fpdrift.frameworks.quiet import quiet


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
        message = f"{shown(name)} is no black box; choose one such as numpy:sum, or module:function"
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
    return FpdriftError(f"{package} is not installed; type: pip install {install}")


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
            message = f"there is no module {shown(module)}, neither here nor installed"
        else:
            message = f"importing {module} needs {shown(error.name)}, which is not installed"
        raise FpdriftError(message) from None
    except (Exception, SystemExit) as error:
        message = f"importing {shown(module)} raised {_told(error)}"
        raise FpdriftError(message) from error


def _function(home: Any, name: str, path: str) -> Callable[..., Any]:
    try:
        found: Callable[..., Any] = reduce(getattr, path.split("."), home)
    except AttributeError:
        message = f"there is no {name}; {shown(home.__name__)} has no {shown(path)}"
        raise FpdriftError(message) from None
    if not callable(found):
        message = f"{name} is {shown(found)}; name a function"
        raise FpdriftError(message)
    return found


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {shown(str(error))}"
