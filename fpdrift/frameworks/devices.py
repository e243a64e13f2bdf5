"""The device that a library finds, and what it can add there, in one form for all libraries."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal

from fpdrift.checks import check_choice
from fpdrift.errors import FpdriftError, shown
from fpdrift.frameworks.quiet import quiet

#: Libraries that may find a GPU, in the order in which they are asked.
GPU_LIBRARIES = ("torch", "cupy", "jax", "tensorflow")
#: Where the adapter is not in the module of the library's name.
_HOME = {"tensorflow": "tfsums"}
DEVICES = ("gpu", "cpu")

#: What a CPU lacks of a GPU's operations.
MISSING_ON_CPU = {"matmul TF32": "TF32 is a mode of GPUs; this is a CPU"}

Takes = Literal["numbers", "numbers and places", "matrices"]

_INSTALL = {
    "torch": "torch",
    "cupy": "cupy-cuda12x",
    "jax": "'jax[cuda12]' (or jax, for the CPU alone)",
    "tensorflow": "'fpdrift[cnn]'",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that adds."""

    name: str
    #: "numbers": (n,); "numbers and places": these, (n,) places, and how many places there are;
    #: "matrices": two
    takes: Takes
    #: what is called, by its name in the library
    function: str
    #: takes and gives arrays of the device
    call: Callable[..., Any]
    #: the deterministic operation to compare with, where it is another one
    twin: Operation | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A device that a library found."""

    name: str
    on_gpu: bool
    #: with its version
    library: str
    operations: tuple[Operation, ...]
    dtypes: tuple[str, ...]
    #: from NumPy to the device, and back
    put: Callable[[Any], Any]
    get: Callable[[Any], Any]
    #: wait until an array of the device has been computed
    wait: Callable[[Any], object]
    #: what makes operations deterministic, or why that cannot be switched here
    switch: str
    #: holds the switch on, then restores it; None where it cannot be switched here
    steady: Callable[[], AbstractContextManager[None]] | None = None
    #: whether operations are deterministic already, for the whole process
    always: bool = False
    #: operations that cannot be had here, and why
    missing: dict[str, str] = field(default_factory=dict)


def open_device(library: str, device: str = "gpu") -> Device:
    """Find the first GPU of a library, or its CPU.

    Parameters
    ----------
    library : {"torch", "cupy", "jax", "tensorflow"}
    device : {"gpu", "cpu"}

    Raises
    ------
    FpdriftError
        With the reason why there is none.
    """
    check_choice("library", library, GPU_LIBRARIES)
    check_choice("device", device, DEVICES)
    if importlib.util.find_spec(library) is None:
        message = f"{library} is not installed; type: pip install {_INSTALL[library]}"
        raise FpdriftError(message)
    home = f"fpdrift.frameworks.{_HOME.get(library, library)}"
    try:
        with quiet():
            found: Device = import_module(home).find_device(device)
    except FpdriftError:
        raise
    except Exception as error:
        why = shown(str(error) or type(error).__name__)
        message = f"{library} does not start here ({why}); mend its installation"
        raise FpdriftError(message) from error
    return found


def no_gpu(library: str, why: str = "", *, has_cpu: bool = True) -> FpdriftError:
    """Say that a library finds no GPU."""
    reason = f" ({' '.join(why.split())[:120]})" if why else ""
    hint = "; device='cpu' tries the code without" if has_cpu else ""
    return FpdriftError(f"{library} finds no GPU here{reason}{hint}")
