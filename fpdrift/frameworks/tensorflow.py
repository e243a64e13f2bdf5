"""TensorFlow: its switches, which hold for a process from its first operation on; its variables."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

#: More variables are read faster by one traced function than one by one (about 10 us each)...
_FEW = 16
#: ...but tracing it takes as long as about so many reads.
_READS = 100


def configure(
    *, intra_op_threads: int | None, inter_op_threads: int | None, op_determinism: bool
) -> None:
    """Fix TensorFlow's threads and its promise of the same bits; None leaves its own choice.

    Parameters
    ----------
    intra_op_threads : int or None
        Threads inside one operation.
    inter_op_threads : int or None
        Operations that may run at the same time.
    op_determinism : bool
        Whether each operation has to give the same bits each time, or fail.

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
    """Give a function that reads variables many times, at the least cost.

    Parameters
    ----------
    variables : sequence of tf.Variable

    Returns
    -------
    callable
        Gives their values, shared and not copied where they are in the CPU's memory. They never
        change: an update while they are held writes elsewhere, at the price of a copy.
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


#: Operations whose state no caller can read and put back: generators that a kernel holds, queues,
#: tables, iterators, and Python code.
_KEEPS_STATE = re.compile(
    r"Random(?!Dataset)|Multinomial|TruncatedNormal|ParameterizedTruncatedNormal|Queue|Stack"
    r"|IteratorGetNext|.*Table(Insert|Import|Remove)|EagerPyFunc|PyFunc$"
)


def hidden_state(function: Callable[..., Any], *arguments: Any) -> list[str]:
    """Name the operations of a function that move a state which nobody can put back.

    Parameters
    ----------
    function : callable
        Is traced, not run.
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


def variable_class() -> type:
    """Give the class of TensorFlow's own variables."""
    import tensorflow as tf

    return cast("type", tf.Variable)
