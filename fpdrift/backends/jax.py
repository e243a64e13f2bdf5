"""JAX's sums on its GPU or CPU, compiled by XLA, and its settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

from fpdrift.backends.devices import MISSING_ON_CPU, Device, Operation, Takes, no_gpu
from fpdrift.backends.summing_functions import ALL_DTYPES, LIBRARIES, jax_keeps

#: XLA's flag holds for the whole process, so that it cannot be switched on and off here.
_FLAG = "--xla_gpu_deterministic_ops=true"


def configure(*, float64: bool) -> None:
    """Set whether JAX keeps float64 or converts it to float32, whatever the environment says."""
    import jax

    jax.config.update("jax_enable_x64", float64)


def find_device(device: str) -> Device:
    """Return JAX's first GPU, or its CPU; see `fpdrift.backends.devices.open_device`."""
    import jax
    import numpy as np

    on_gpu = device == "gpu"
    try:
        found = jax.devices(device)[0]
    except RuntimeError as error:
        if not on_gpu:
            raise
        raise no_gpu("jax", str(error)) from None
    to_jax = cast("Callable[[Any], Any]", LIBRARIES["jax"].to_library)
    always = _FLAG in os.environ.get("XLA_FLAGS", "")

    def put(array: Any) -> Any:
        with jax_keeps(array.dtype):
            return jax.device_put(to_jax(array), found)

    return Device(
        name=str(found.device_kind) if on_gpu else "CPU",
        on_gpu=on_gpu,
        library=f"jax {jax.__version__}",
        operations=tuple(_operations(on_gpu)),
        dtypes=ALL_DTYPES,
        put=put,
        get=lambda array: np.asarray(array)[()],
        wait=lambda array: array.block_until_ready(),
        switch=f"XLA_FLAGS={_FLAG} is {'' if always else 'not '}set; XLA reads it when it starts",
        always=always,
        missing={} if on_gpu else MISSING_ON_CPU,
    )


def _operations(on_gpu: bool) -> Iterator[Operation]:
    import jax

    numpy = jax.numpy

    @partial(jax.jit, static_argnums=2)
    def index_add(numbers: Any, places: Any, outputs: int) -> Any:
        return numpy.zeros(outputs, numbers.dtype).at[places].add(numbers)

    @partial(jax.jit, static_argnums=2)
    def segment_sum(numbers: Any, places: Any, outputs: int) -> Any:
        return jax.ops.segment_sum(numbers, places, outputs)

    # The indices are an argument, so that XLA cannot see that they are all equal.
    def to_one_place(numbers: Any) -> Any:
        return index_add(numbers, numpy.zeros(len(numbers), numpy.int32), 1)

    yield _operation("sum", "numbers", "jax.numpy.sum", jax.jit(numpy.sum))
    yield _operation("atomic sum", "numbers", "Array.at[].add to one place", to_one_place)
    yield _operation("index_add", "numbers and places", "Array.at[].add", index_add)
    yield _operation("scatter_add", "numbers and places", "jax.ops.segment_sum", segment_sum)
    for name, precision in (("matmul", "highest"), ("matmul TF32", "tensorfloat32")):
        if on_gpu or precision == "highest":
            call = jax.jit(partial(numpy.matmul, precision=precision))
            yield _operation(name, "matrices", f"jax.numpy.matmul, precision {precision!r}", call)


def _operation(name: str, takes: Takes, function: str, call: Callable[..., Any]) -> Operation:
    def in_its_dtype(numbers: Any, *others: Any) -> Any:
        with jax_keeps(numbers.dtype):
            return call(numbers, *others)

    return Operation(name, takes, function, in_its_dtype)
