"""Run a function that TensorFlow has traced in float64 throughout.

Keras' dtype policy determines the dtype of most layers, but not of a layer with its own dtype, a
loss object made under another policy, or an explicit cast. All of these are nodes of the traced
graph. Here every float of that graph becomes a float64, with copies of the variables.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

#: Leading bits that are enough for a literal constant such as 0.5, 3 or 64.
SHORT = 16
_number = itertools.count()


class Widened:
    """A traced function in float64, without XLA, which does not accept such a graph.

    Parameters
    ----------
    traced : callable
        A `tf.function` with one signature.
    variables : sequence of tf.Variable
        Variables to be set and read; other variables that it uses are copied with their values.

    Raises
    ------
    NotImplementedError
        If it contains a loop: TensorFlow may crash on a list of tensors whose type changed.
    """

    def __init__(self, traced: Any, variables: Sequence[Any]) -> None:
        import tensorflow as tf

        concrete = traced.get_concrete_function()
        graph = concrete.graph
        definition = _widen_graph(graph.as_graph_def())
        used = {id(v.handle): v for v in (*graph.variables, *variables)}
        copies = {
            key: tf.Variable(_wide(variable.read_value()), trainable=False)
            for key, variable in used.items()
        }
        self.variables = [copies[id(variable.handle)] for variable in variables]
        captured = [
            copies[id(tensor)].handle if tensor.dtype == tf.resource else _wide(tensor)
            for tensor in concrete.captured_inputs
        ]
        names = [tensor.name for tensor in concrete.inputs]
        outputs = [tensor.name for tensor in concrete.outputs]
        self._structure = concrete.structured_outputs

        def imported(*batch: Any) -> Any:
            inside = map(tf.compat.v1.get_default_graph().capture, captured)
            inputs = dict(zip(names, [*batch, *inside], strict=True))
            return tf.graph_util.import_graph_def(definition, inputs, outputs, name="")

        self._function = tf.function(imported, autograph=False)

    def __call__(self, *batch: Any) -> Any:
        """Return the function's value, in its structure."""
        import tensorflow as tf

        flat = iter(self._function(*(_wide(values) for values in tf.nest.flatten(batch))))
        places = tf.nest.flatten(self._structure)
        found = [None if place is None else next(flat) for place in places]
        return tf.nest.pack_sequence_as(self._structure, found)


def narrow_nodes(traced: Any) -> tuple[str, ...]:
    """Return the names of nodes that compute in less than float64, in graph order."""
    low = _narrow()
    return tuple(
        node.name
        for node in _nodes(traced.get_concrete_function().graph.as_graph_def())
        if node.op != "Const"  # a constant is cast at once where a float64 is needed
        and any(value.type in low for key, value in node.attr.items() if key != "SrcT")
    )


def rounded_constants(traced: Any) -> dict[bytes, str]:
    """Return the constants that were rounded to float32: their bytes -> name of the node."""
    concrete = traced.get_concrete_function()
    import tensorflow as tf

    found = {}
    for node in _nodes(concrete.graph.as_graph_def()):
        if node.op == "Const":
            found[node.name] = tf.make_ndarray(node.attr["value"].tensor)
    places = [
        t.name for t in concrete.inputs[len(concrete.inputs) - len(concrete.captured_inputs) :]
    ]
    for place, tensor in zip(places, concrete.captured_inputs, strict=True):
        if tensor.dtype.is_floating:
            found[place] = tensor.numpy()
    return {
        values.astype(np.float64).tobytes(): name
        for name, values in found.items()
        if rounded(values).any()
    }


def rounded(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return which numbers were rounded to float32; 0.5 and 3 need no rounding."""
    if not _is_float(values):
        return np.zeros(values.shape, bool)
    wide = values.astype(np.float64)
    with np.errstate(all="ignore"):
        short = np.ldexp(np.frexp(wide)[0], SHORT) % 1 == 0
        kept = wide.astype(np.float32) == wide
    return np.asarray(kept & ~short & np.isfinite(wide))


def _wide(values: Any) -> Any:
    """Convert to a tensor, and to float64 if it is a float."""
    import tensorflow as tf

    tensor = values if tf.is_tensor(values) else tf.convert_to_tensor(values)
    return tf.cast(tensor, tf.float64) if tensor.dtype.is_floating else tensor


def _widen_graph(definition: Any) -> Any:
    """Make every float of a graph a float64, and rename its functions."""
    loops = [node.name for node in _nodes(definition) if node.op.endswith("While")]
    if loops:
        raise NotImplementedError(loops[0])
    suffix = f"_wide{next(_number)}"
    functions = definition.library.function
    names = {function.signature.name: function.signature.name + suffix for function in functions}
    low, double = _narrow(), _enum("float64")
    for function in functions:
        function.signature.name = names[function.signature.name]
        for argument in (*function.signature.input_arg, *function.signature.output_arg):
            if argument.type in low:
                argument.type = double
    for gradient in definition.library.gradient:
        gradient.function_name = names[gradient.function_name]
        gradient.gradient_func = names.get(gradient.gradient_func, gradient.gradient_func)
    for node in _nodes(definition):
        node.op = names.get(node.op, node.op)
        for value in node.attr.values():
            _widen(value, names)
    return definition


def _widen(value: Any, names: dict[str, str]) -> None:
    """Widen one attribute of a node, in place."""
    import tensorflow as tf

    low, double = _narrow(), _enum("float64")
    kind = value.WhichOneof("value")
    if kind == "type" and value.type in low:
        value.type = double
    if kind == "list" and value.list.type:
        value.list.type[:] = [double if item in low else item for item in value.list.type]
    if kind == "tensor" and value.tensor.dtype in low:
        array = tf.make_ndarray(value.tensor).astype(np.float64)
        value.tensor.CopyFrom(tf.make_tensor_proto(array))
    functions = [value.func] if kind == "func" else value.list.func if kind == "list" else []
    for function in functions:
        function.name = names.get(function.name, function.name)
        for inner in function.attr.values():
            _widen(inner, names)


def _nodes(definition: Any) -> Iterator[Any]:
    parts: Iterable[Any] = (function.node_def for function in definition.library.function)
    return itertools.chain(definition.node, *parts)


def _is_float(values: npt.NDArray[Any]) -> bool:
    return values.dtype.kind == "f" or values.dtype.name == "bfloat16"


def _enum(name: str) -> int:
    import tensorflow as tf

    return int(tf.dtypes.as_dtype(name).as_datatype_enum)


def _narrow() -> set[int]:
    return {_enum(name) for name in ("float16", "bfloat16", "float32")}
