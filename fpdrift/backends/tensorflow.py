"""TensorFlow's settings (fixed by the first operation of a process), variables and sums."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from operator import attrgetter
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from fpdrift.backends.devices import MISSING_ON_CPU, Device, Operation, no_gpu
from fpdrift.backends.summing_functions import ALL_DTYPES

#: More variables than this are read faster by a traced function than singly (10 us each)...
_FEW = 16
#: ... but tracing it takes as long as about this many reads.
_READS = 100


def configure(
    *, intra_op_threads: int | None, inter_op_threads: int | None, op_determinism: bool
) -> None:
    """Set TensorFlow's thread counts and op determinism; None keeps TensorFlow's default.

    Parameters
    ----------
    intra_op_threads : int or None
        Threads inside one operation.
    inter_op_threads : int or None
        Operations that may run at the same time.
    op_determinism : bool
        Whether each operation must give the same bits each time, or fail.

    Raises
    ------
    RuntimeError
        If TensorFlow has already computed something in this process.
    """
    import tensorflow as tf

    if intra_op_threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(intra_op_threads)
    if inter_op_threads is not None:
        tf.config.threading.set_inter_op_parallelism_threads(inter_op_threads)
    if op_determinism:
        tf.config.experimental.enable_op_determinism()


def reader(variables: Sequence[Any]) -> Callable[[], list[npt.NDArray[Any]]]:
    """Return a function for reading variables many times at low cost.

    Parameters
    ----------
    variables : sequence of tf.Variable

    Returns
    -------
    callable
        Returns their values, shared without a copy if they are in CPU memory. The values never
        change: an update while they are referenced writes to new memory, at the cost of a copy.
    """
    import tensorflow as tf

    read = tf.raw_ops.ReadVariableOp  # a variable's own methods take twice as long
    spread = any(isinstance(variable, tf.distribute.DistributedValues) for variable in variables)
    if spread:
        return lambda: [np.asarray(variable.value()) for variable in variables]
    known = [(variable.handle, variable.dtype) for variable in variables]

    def read_all() -> list[Any]:
        return [read(resource=handle, dtype=dtype) for handle, dtype in known]

    reads = itertools.count()

    def read_fast() -> list[npt.NDArray[Any]]:
        nonlocal read_all
        if len(known) > _FEW and next(reads) == _READS:
            read_all = tf.function(read_all, autograph=False).get_concrete_function()
        return [np.asarray(value) for value in read_all()]

    return read_fast


#: Operations whose state a caller cannot read and restore: generators inside a kernel, queues,
#: tables, iterators, and Python code.
_KEEPS_STATE = re.compile(
    r"Random(?!Dataset)|Multinomial|TruncatedNormal|ParameterizedTruncatedNormal|Queue|Stack"
    r"|IteratorGetNext|.*Table(Insert|Import|Remove)|EagerPyFunc|PyFunc$"
)


def hidden_state(function: Callable[..., Any], *arguments: Any) -> list[str]:
    """Return the operations of a function that change state irreversibly.

    Parameters
    ----------
    function : callable
        Traced, not run.
    arguments
        Nested arrays.

    Returns
    -------
    list of str
        Types of operations, such as ``"RandomUniform"``.
    """
    import tensorflow as tf

    graph = tf.function(function, autograph=False).get_concrete_function(*arguments).graph
    functions = graph.as_graph_def().library.function
    types = {op.type for op in graph.get_operations()}
    types.update(node.op for inner in functions for node in inner.node_def)
    return sorted(name for name in types if _KEEPS_STATE.match(name))


def inside_function() -> bool:
    """Return whether the caller is being traced by `tf.function`, where nothing has a value."""
    import tensorflow as tf

    return bool(tf.inside_function())


def is_dataset(data: Any) -> bool:
    """Return whether data are a `tf.data.Dataset`."""
    import tensorflow as tf

    return isinstance(data, tf.data.Dataset)


def watch_dataset(dataset: Any, see: Callable[[Any], None]) -> Any:
    """Return a dataset of the same elements that calls a function with each that is read.

    Parameters
    ----------
    dataset : tf.data.Dataset
    see : callable
        Called with a list of arrays, in the order of the elements.
    """
    import tensorflow as tf

    def call(*parts: Any) -> Any:
        see(parts)
        return np.int64(0)

    def pass_on(*element: Any) -> Any:
        parts = tf.nest.flatten(element, expand_composites=True)
        # stateful, so that TensorFlow neither omits it nor calls it out of order
        seen = tf.numpy_function(call, parts, tf.int64, stateful=True)
        with tf.control_dependencies([seen]):
            same = [tf.identity(part) for part in parts]
        return tf.nest.pack_sequence_as(dataset.element_spec, same, expand_composites=True)

    return dataset.map(pass_on)


def variable_class() -> type:
    """Return the class of TensorFlow's own variables."""
    import tensorflow as tf

    return cast("type", tf.Variable)


_SWITCH = "tf.config.experimental.enable_op_determinism()"


def find_device(device: str) -> Device:
    """Return TensorFlow's first GPU, or its CPU; see `fpdrift.backends.devices.open_device`."""
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
        switch=_SWITCH if off else f"this TensorFlow cannot undo {_SWITCH}",
        deterministic_mode=None if always or off is None else partial(_deterministic_mode, off),
        always=always,
        missing={} if on_gpu else MISSING_ON_CPU,
    )


def _operations(where: str, on_gpu: bool) -> Iterator[Operation]:
    """Yield operations bound to the device; by default TensorFlow uses a GPU if it can."""
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
    """Return whether op determinism is on, and the function (not public) that disables it."""
    from tensorflow.python.framework import config

    is_on, off = (
        getattr(config, name, None)
        for name in ("is_op_determinism_enabled", "disable_op_determinism")
    )
    return is_on is not None and is_on(), off


@contextmanager
def _deterministic_mode(off: Callable[[], None]) -> Iterator[None]:
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    try:
        yield
    finally:
        off()


def operation(name: str) -> Callable[..., Any]:
    """Return a TensorFlow operation on a batch of rows, on the CPU, as a function of NumPy arrays.

    Parameters
    ----------
    name : {"matmul", "convolution", "softmax"}

    Returns
    -------
    callable
        Takes a batch of rows and, except for softmax, the weights (images are channels-last);
        returns the batch of results.
    """
    import tensorflow as tf

    call = {
        "matmul": tf.matmul,
        "convolution": lambda images, kernel: tf.nn.conv2d(images, kernel, 1, "VALID"),
        "softmax": tf.nn.softmax,
    }[name]

    return _on_cpu(call)


def function_of_arrays(path: str) -> Callable[..., Any]:
    """Return one of TensorFlow's functions, such as "math.erf", as a function of NumPy arrays.

    It computes on the CPU.
    """
    import tensorflow as tf

    return _on_cpu(attrgetter(path)(tf))


def _on_cpu(call: Callable[..., Any]) -> Callable[..., Any]:
    import tensorflow as tf

    def on_cpu(*arrays: Any) -> Any:
        with tf.device("CPU:0"):
            return call(*map(tf.constant, arrays)).numpy()

    return on_cpu


def keeps_address(array: npt.NDArray[Any]) -> bool:
    """Return whether a constant made of an array shares its memory; if not, it is a copy."""
    import tensorflow as tf

    with tf.device("CPU:0"):
        return np.shares_memory(np.asarray(memoryview(tf.constant(array))), array)


def version() -> str:
    """Return TensorFlow's version."""
    import tensorflow as tf

    return str(tf.__version__)
