"""Record all measurements on a GPU, for users who have none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fpdrift import atomic
from fpdrift.backends.devices import DEVICES, GPU_LIBRARIES, Device
from fpdrift.errors import FpdriftError
from fpdrift.floats import format_of
from fpdrift.provenance import current
from fpdrift.reduction._reveal import reveal_dot
from fpdrift.reduction._rounding import round_array
from fpdrift.reduction.gpu._measure import first_device, on_device, reason
from fpdrift.reduction.gpu._results import GpuRecording, GpuTree, Inputs
from fpdrift.validation import check_callable, check_choice, check_switch

Progress = Callable[[int, int], None]

#: Sizes, tries, and the lengths of the dot products whose trees are revealed.
_WHOLE = ((10_000, 100_000, 1_000_000, 10_000_000, 100_000_000), 100, (4, 8, 16, 32, 64, 128, 256))
_FAST = ((10_000, 100_000), 10, (4, 16))

#: Rows of one matrix and columns of the other: libraries treat a single row or column as a vector,
#: and add in a different order.
_FILLED = 128

#: Name of the precision -> dtype of the numbers, dtype of the matrices, operation. TF32 keeps 11
#: bits of a float32; bfloat16 numbers lose none of theirs, so that TF32 sums can be replayed.
_PRECISIONS = {
    "float16": ("float16", "float16", "matmul"),
    "bfloat16": ("bfloat16", "bfloat16", "matmul"),
    "float32": ("float32", "float32", "matmul"),
    "TF32": ("bfloat16", "float32", "matmul TF32"),
}


def record_gpu(
    path: str | Path,
    *,
    library: str | None = None,
    fast: bool = False,
    progress: Progress | None = None,
) -> GpuRecording:
    """Measure sums, scatter-adds and matrix products on this machine's GPU, and save the result.

    Parameters
    ----------
    path : str or pathlib.Path
        The JSON file to write.
    library : {"torch", "cupy", "jax", "tensorflow"}, optional
        By default the first that finds a GPU.
    fast : bool, default False
        Use small sizes only, to check that it works.
    progress : callable, optional
        Called with the number of operations done and the total.

    Raises
    ------
    FpdriftError
        If there is no GPU (the message has each library's reason), or the file cannot be written.
    """
    target = Path(path)
    try:
        atomic.try_writing(target)  # before minutes of work
        recording = measure_gpu(library=library, fast=fast, progress=progress)
        atomic.write(target, recording.to_json() + "\n")
    except OSError as error:
        message = f"cannot write {target.name}: {error.strerror}; choose another place"
        raise FpdriftError(message) from None
    return recording


def measure_gpu(
    *,
    library: str | None = None,
    device: str = "gpu",
    fast: bool = False,
    progress: Progress | None = None,
) -> GpuRecording:
    """Measure the same without saving it; ``device="cpu"`` tries the code without a GPU.

    Raises
    ------
    FpdriftError
        If no library finds such a device.
    """
    if library is not None:
        check_choice("library", library, GPU_LIBRARIES)
    check_choice("device", device, DEVICES)
    check_switch("fast", fast)
    check_callable("progress", progress)
    reasons: dict[str, str] = {}
    found = first_device(library, device, reasons)
    if found is None:
        message = f"no {device.upper()} to record: {'; '.join(reasons.values())}"
        raise FpdriftError(message)
    sizes, tries, lengths = _FAST if fast else _WHOLE
    inputs = Inputs.checked(sizes, "float32", "uniform", 1)
    sums = on_device(found, inputs, tries, progress or (lambda _done, _total: None), {})
    skipped: dict[str, str] = {}
    recording = GpuRecording(
        origin="live",
        device=found.name,
        on_gpu=found.on_gpu,
        library=found.library,
        fast=fast,
        sums=sums,
        trees=tuple(_trees(found, lengths, skipped)),
        skipped=skipped,
    )
    made_by = replace(current(), device=found.name if found.on_gpu else None)
    object.__setattr__(recording, "_provenance", made_by)
    return recording


def _trees(device: Device, lengths: tuple[int, ...], skipped: dict[str, str]) -> Iterator[GpuTree]:
    calls = {operation.name: operation.call for operation in device.operations}
    for precision, (numbers, matrices, operation) in _PRECISIONS.items():
        if operation not in calls:
            skipped[f"tree, {precision}"] = device.missing.get(operation, "no such operation")
        elif matrices not in device.dtypes:
            skipped[f"tree, {precision}"] = f"{device.library} does not support {matrices} here"
        else:
            dot = _dot_by_matmul(device, calls[operation], numbers, matrices)
            name = f"{device.library}, {operation}, {precision}"
            for n in lengths:
                try:
                    revealed = reveal_dot(dot, n, numbers, name=name)
                    yield GpuTree(origin="live", precision=precision, revealed=revealed)
                except Exception as error:  # noqa: BLE001 - libraries raise errors of any kind
                    skipped[f"tree, {precision}, n = {n}"] = reason(error)


def _dot_by_matmul(
    device: Device, call: Callable[[Any, Any], Any], numbers: str, matrices: str
) -> Callable[[Any, Any], Any]:
    """Make a dot product from a matrix product, all of whose elements are the same sum."""
    dtype, fmt = format_of(matrices).dtype, format_of(numbers)

    def dot(values: Any, factors: Any) -> Any:
        rows = np.tile(values.astype(dtype), (_FILLED, 1))
        columns = np.repeat(factors.astype(dtype)[:, None], _FILLED, axis=1)
        return round_array(device.get(call(device.put(rows), device.put(columns))), fmt)[0, 0]

    return dot
