"""PyTorch's sums on its GPU or CPU, and its settings, which hold for a process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

from fpdrift.backends.devices import MISSING_ON_CPU, Device, Operation, no_gpu
from fpdrift.backends.summing_functions import ALL_DTYPES, LIBRARIES

#: cuBLAS is deterministic only with its own workspace, which has to be requested before it starts;
#: without it, PyTorch's deterministic mode makes every matrix product fail.
_CUBLAS, _WORKSPACE = "CUBLAS_WORKSPACE_CONFIG", ":4096:8"
_SWITCH = "torch.use_deterministic_algorithms(True)"


def configure(
    *, intra_op_threads: int | None, inter_op_threads: int | None, op_determinism: bool
) -> None:
    """Set PyTorch's thread counts and deterministic mode; see `tensorflow.configure`."""
    import torch

    if intra_op_threads is not None:
        torch.set_num_threads(intra_op_threads)
    if inter_op_threads is not None:
        torch.set_num_interop_threads(inter_op_threads)
    if op_determinism:
        os.environ.setdefault(_CUBLAS, _WORKSPACE)
        torch.use_deterministic_algorithms(mode=True)


def find_device(device: str) -> Device:
    """Return PyTorch's first GPU, or its CPU; see `fpdrift.backends.devices.open_device`."""
    import torch

    on_gpu = device == "gpu"
    if on_gpu and not torch.cuda.is_available():
        raise no_gpu("torch")
    if on_gpu:
        os.environ.setdefault(_CUBLAS, _WORKSPACE)
    where = "cuda:0" if on_gpu else "cpu"
    always = torch.are_deterministic_algorithms_enabled()
    to_device = cast("Callable[[Any], Any]", LIBRARIES["torch"].to_library)
    to_numpy = cast("Callable[[Any], Any]", LIBRARIES["torch"].to_numpy)
    return Device(
        name=torch.cuda.get_device_name(0) if on_gpu else "CPU",
        on_gpu=on_gpu,
        library=f"torch {torch.__version__}",
        operations=tuple(_operations(where, on_gpu)),
        dtypes=ALL_DTYPES,
        put=lambda array: to_device(array).to(where),
        get=lambda tensor: to_numpy(tensor.cpu()),
        wait=lambda _: torch.cuda.synchronize() if on_gpu else None,
        switch=_SWITCH + (f", CUBLAS_WORKSPACE_CONFIG={os.environ[_CUBLAS]}" if on_gpu else ""),
        deterministic_mode=None if always else _deterministic_mode,
        always=always,
        missing={} if on_gpu else MISSING_ON_CPU,
    )


def _operations(where: str, on_gpu: bool) -> Iterator[Operation]:
    import torch

    def scatter(method: str, numbers: Any, places: Any, outputs: int) -> Any:
        zeros = torch.zeros(outputs, dtype=numbers.dtype, device=where)
        return getattr(zeros, method)(0, places.long(), numbers)

    def to_one_place(numbers: Any) -> Any:
        return scatter(
            "index_add", numbers, torch.zeros(len(numbers), dtype=torch.int64, device=where), 1
        )

    yield Operation("sum", "numbers", "torch.sum", torch.sum)
    yield Operation("atomic sum", "numbers", "Tensor.index_add to one place", to_one_place)
    for name in ("index_add", "scatter_add"):
        yield Operation(name, "numbers and places", f"Tensor.{name}", partial(scatter, name))
    yield Operation("matmul", "matrices", "torch.matmul", partial(_product, "highest"))
    if on_gpu:
        function = "torch.matmul, float32 matmul precision 'high'"
        yield Operation("matmul TF32", "matrices", function, partial(_product, "high"))


def _product(precision: str, one: Any, other: Any) -> Any:
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        return torch.matmul(one, other)
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def _deterministic_mode() -> Iterator[None]:
    import torch

    torch.use_deterministic_algorithms(mode=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(mode=False)


def hold_generators() -> Callable[[], None]:
    """Return a function that restores PyTorch's own generators, including those of GPUs."""
    import torch

    state = torch.get_rng_state()
    gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []

    def restore() -> None:
        torch.set_rng_state(state)
        if gpus:
            torch.cuda.set_rng_state_all(gpus)

    return restore


def hold_tensor(tensor: Any) -> Callable[[], None]:
    """Return a function that restores the current values of a tensor."""
    import torch

    values = tensor.detach().clone()

    def restore() -> None:
        with torch.no_grad():
            tensor.copy_(values)

    return restore
