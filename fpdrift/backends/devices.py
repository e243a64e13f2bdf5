"""Find devices and their operations in one form for all libraries; allocate aligned arrays.

Alignment matters because vector kernels peel off leading elements according to the address, which
changes the order in which they add.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from math import prod
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.validation import check_choice


def device_of(backend: str, value: Any) -> str:
    """Return the name of the device that holds a variable's value.

    Parameters
    ----------
    backend : str
        Keras' name of the backend: ``"tensorflow"``, ``"torch"`` or ``"jax"``.
    value : tf.Variable, torch.Tensor or jax.Array

    Returns
    -------
    str
        ``"CPU"``, or the backend's name of the accelerator, such as ``"NVIDIA H100 80GB HBM3"``; if
        there are several, that of the first.
    """
    kind, name = {"tensorflow": _tensorflow, "torch": _torch, "jax": _jax}[backend](value)
    return "CPU" if kind.lower() == "cpu" else name or kind.upper()


def _tensorflow(value: Any) -> tuple[str, str]:
    import tensorflow as tf

    place = tf.DeviceSpec.from_string(value.device)
    if place.device_type != "GPU":
        return place.device_type, ""
    gpu = tf.config.list_physical_devices("GPU")[place.device_index]
    return "GPU", str(tf.config.experimental.get_device_details(gpu).get("device_name", ""))


def _torch(value: Any) -> tuple[str, str]:
    import torch

    kind = value.device.type
    return kind, torch.cuda.get_device_name(value.device) if kind == "cuda" else ""


def _jax(value: Any) -> tuple[str, str]:
    device = min(value.devices(), key=lambda device: device.id)
    return device.platform, device.device_kind


@contextmanager
def quiet() -> Iterator[None]:
    """Discard the process's stderr within a block; failures are still Python exceptions.

    The C++ code of TensorFlow and CUDA prints notices there at import, whatever the log level.
    """
    try:
        kept = os.dup(2)
    except OSError:  # there is no stderr
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


#: Libraries that may find a GPU, in the order in which they are tried.
GPU_LIBRARIES = ("torch", "cupy", "jax", "tensorflow")
DEVICES = ("gpu", "cpu")

#: GPU operations that a CPU lacks.
MISSING_ON_CPU = {"matmul TF32": "TF32 is a GPU mode; this is a CPU"}

Takes = Literal["numbers", "numbers and places", "matrices"]

_INSTALL = {
    "torch": "torch",
    "cupy": "cupy-cuda12x",
    "jax": "'jax[cuda12]' (or jax, for the CPU only)",
    "tensorflow": "'fpdrift[cnn]'",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that adds numbers."""

    name: str
    #: "numbers": (n,); "numbers and places": (n,) numbers, (n,) indices, and the number of outputs;
    #: "matrices": two
    takes: Takes
    #: name of the function in the library
    function: str
    #: takes and returns arrays of the device
    call: Callable[..., Any]
    #: the deterministic operation to compare with, if it is a different one
    twin: Operation | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A device that a library found."""

    name: str
    on_gpu: bool
    #: name and version
    library: str
    operations: tuple[Operation, ...]
    dtypes: tuple[str, ...]
    #: copy from NumPy to the device, and back
    put: Callable[[Any], Any]
    get: Callable[[Any], Any]
    #: wait until an array of the device has been computed
    wait: Callable[[Any], object]
    #: what makes operations deterministic, or why that is not possible
    switch: str
    #: enables deterministic mode within a block; None if that is not possible
    deterministic_mode: Callable[[], AbstractContextManager[None]] | None = None
    #: whether operations are deterministic already, for the whole process
    always: bool = False
    #: operation -> why it is not available
    missing: dict[str, str] = field(default_factory=dict)


def open_device(library: str, device: str = "gpu") -> Device:
    """Return the first GPU of a library, or its CPU.

    Parameters
    ----------
    library : {"torch", "cupy", "jax", "tensorflow"}
    device : {"gpu", "cpu"}

    Raises
    ------
    FpdriftError
        If there is none; the message has the reason.
    """
    check_choice("library", library, GPU_LIBRARIES)
    check_choice("device", device, DEVICES)
    if importlib.util.find_spec(library) is None:
        message = f"{library} is not installed; run: pip install {_INSTALL[library]}"
        raise FpdriftError(message)
    home = f"fpdrift.backends.{library}"
    try:
        with quiet():
            found: Device = import_module(home).find_device(device)
    except FpdriftError:
        raise
    except Exception as error:
        why = short_repr(str(error) or type(error).__name__)
        message = f"{library} does not start here ({why}); repair its installation"
        raise FpdriftError(message) from error
    return found


def no_gpu(library: str, why: str = "", *, has_cpu: bool = True) -> FpdriftError:
    """Return the error to raise if a library finds no GPU."""
    reason = f" ({' '.join(why.split())[:120]})" if why else ""
    hint = "; device='cpu' runs without one" if has_cpu else ""
    return FpdriftError(f"{library} finds no GPU here{reason}{hint}")


#: Bytes of a cache line and of the widest vector registers, the largest alignment of any kernel.
LINE = 64


def aligned_zeros(shape: int | tuple[int, ...], dtype: Any, offset: int = 0) -> npt.NDArray[Any]:
    """Return zeros whose first byte is `offset` bytes after a multiple of 64."""
    kind = np.dtype(dtype)
    size = (prod(shape) if isinstance(shape, tuple) else shape) * kind.itemsize
    memory = np.zeros(size + 2 * LINE, np.uint8)
    start = -memory.ctypes.data % LINE + offset
    zeros: npt.NDArray[Any] = memory[start : start + size].view(kind).reshape(shape)
    return zeros


def offset_of(array: npt.NDArray[Any]) -> int:
    """Return the byte offset of an array's first byte from a multiple of 64."""
    return int(array.ctypes.data) % LINE


def aligned_copy(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a copy with the same alignment, which NumPy's own copy does not preserve."""
    copy = aligned_zeros(array.shape, array.dtype, offset_of(array))
    copy[...] = array
    return copy
