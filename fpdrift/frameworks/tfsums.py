"""TensorFlow's sums on its GPU or its CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from fpdrift.frameworks.devices import MISSING_ON_CPU, Device, Operation, no_gpu
from fpdrift.frameworks.libraries import ALL_DTYPES

_SWITCH = "tf.config.experimental.enable_op_determinism()"


def find_device(device: str) -> Device:
    """Find TensorFlow's first GPU, or its CPU; see `fpdrift.frameworks.devices.open_device`."""
    import tensorflow as tf

    on_gpu = device == "gpu"
    gpus = tf.config.list_physical_devices("GPU")
    if on_gpu and not gpus:
        raise no_gpu("tensorflow")
    details = tf.config.experimental.get_device_details(gpus[0]) if on_gpu else {}
    where = f"{device.upper()}:0"
    always, off = _determinism()

    def put(array: Any) -> Any:
        with tf.device(where):
            return tf.constant(array)

    return Device(
        name=str(details.get("device_name", "GPU")) if on_gpu else "CPU",
        on_gpu=on_gpu,
        library=f"tensorflow {tf.__version__}",
        operations=tuple(_operations(where, on_gpu)),
        dtypes=ALL_DTYPES,
        put=put,
        get=lambda tensor: tensor.numpy(),
        wait=lambda _: tf.test.experimental.sync_devices() if on_gpu else None,
        switch=_SWITCH if off else f"this TensorFlow has no way back from {_SWITCH}",
        steady=None if always or off is None else partial(_steady, off),
        always=always,
        missing={} if on_gpu else MISSING_ON_CPU,
    )


def _operations(where: str, on_gpu: bool) -> Iterator[Operation]:
    """Give operations that stay on the device: TensorFlow takes a GPU where it can, otherwise."""
    import tensorflow as tf

    def on_device(call: Callable[..., Any]) -> Callable[..., Any]:
        def there(*arguments: Any) -> Any:
            with tf.device(where):
                return call(*arguments)

        return there

    def scatter_add(numbers: Any, places: Any, outputs: int) -> Any:
        zeros = tf.zeros(outputs, numbers.dtype)
        return tf.tensor_scatter_nd_add(zeros, places[:, None], numbers)

    def to_one_place(numbers: Any) -> Any:
        return tf.math.unsorted_segment_sum(numbers, tf.zeros(len(numbers), tf.int32), 1)

    segment, sums = "tf.math.unsorted_segment_sum", tf.math.unsorted_segment_sum
    yield Operation("sum", "numbers", "tf.reduce_sum", on_device(tf.reduce_sum))
    yield Operation("atomic sum", "numbers", f"{segment} to one place", on_device(to_one_place))
    yield Operation("index_add", "numbers and places", segment, on_device(sums))
    scatter = "tf.tensor_scatter_nd_add"
    yield Operation("scatter_add", "numbers and places", scatter, on_device(scatter_add))
    for name, tf32 in (("matmul", False), ("matmul TF32", True)):
        if on_gpu or not tf32:
            function = f"tf.matmul, TF32 {'on' if tf32 else 'off'}"
            yield Operation(name, "matrices", function, on_device(partial(_product, tf32)))


def _product(tensor_float_32: bool, one: Any, other: Any) -> Any:
    import tensorflow as tf

    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(tensor_float_32)
    try:
        return tf.matmul(one, other)
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


def _determinism() -> tuple[bool, Any]:
    """Give whether op determinism is on, and what switches it off, which is not public."""
    from tensorflow.python.framework import config

    is_on, off = (
        getattr(config, name, None)
        for name in ("is_op_determinism_enabled", "disable_op_determinism")
    )
    return is_on is not None and is_on(), off


@contextmanager
def _steady(off: Callable[[], None]) -> Iterator[None]:
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    try:
        yield
    finally:
        off()
