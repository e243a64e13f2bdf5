"""FPD3: environment variables, op determinism, threads, and calls that are gone."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from fpdrift.lint._names import is_dataset, method_of
from fpdrift.lint._randomness import DETERMINISM, draws_from, runs_tensorflow, seeded, trains
from fpdrift.lint._rule import Fix, Hit, rule
from fpdrift.lint._seeds import written
from fpdrift.lint._trace import Event, Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMPY = ("numpy", "scipy", "pandas", "sklearn", "tensorflow", "keras")
#: Variable -> the modules that read it when they are imported.
_READ_AT_IMPORT = {
    "KERAS_BACKEND": ("keras", "tensorflow"),
    "TF_USE_LEGACY_KERAS": ("tensorflow",),
    "TF_ENABLE_ONEDNN_OPTS": ("tensorflow",),
    "TF_CPP_MIN_LOG_LEVEL": ("tensorflow",),
    "OMP_NUM_THREADS": _NUMPY,
    "OPENBLAS_NUM_THREADS": _NUMPY,
    "OPENBLAS_CORETYPE": _NUMPY,
    "MKL_NUM_THREADS": _NUMPY,
    "NPY_DISABLE_CPU_FEATURES": _NUMPY,
}
#: Variables that TensorFlow reads when the first operation runs.
_READ_AT_FIRST_OP = {
    "TF_DETERMINISTIC_OPS",
    "TF_CUDNN_DETERMINISTIC",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
}
_KNOWN = (
    {*_READ_AT_IMPORT, *_READ_AT_FIRST_OP, "PYTHONHASHSEED", "CUDA_LAUNCH_BLOCKING"}
    | {"TF_FORCE_GPU_ALLOW_GROWTH", "TF_GPU_ALLOCATOR", "TF_CPP_MAX_VLOG_LEVEL"}
    | {"TF_GPU_THREAD_MODE", "TF_GPU_THREAD_COUNT", "TF_CPP_VMODULE", "PYTHONPATH"}
    | {"NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "MKL_CBWR", "KERAS_HOME"}
    | {"TF_ENABLE_AUTO_MIXED_PRECISION", "TF_DISABLE_RZ_CHECK", "MKL_DYNAMIC", "OMP_DYNAMIC"}
)
#: What TensorFlow 2.21's library says of itself; the last four have no such gradient.
_REFUSED_ON_GPU = (
    "tensorflow.math.bincount",
    "tensorflow.nn.dilation2d",
    "tensorflow.nn.max_pool_with_argmax",
    "tensorflow.quantization.fake_quant_with_min_max_vars",
    "tensorflow.quantization.fake_quant_with_min_max_vars_per_channel",
)
#: `tf.` names of TensorFlow 1 that TensorFlow 2 does not have.
_GONE = frozenset(
    [
        "set_random_seed",
        "ConfigProto",
        "Session",
        "InteractiveSession",
        "placeholder",
        "get_variable",
        "global_variables_initializer",
        "get_default_graph",
        "reset_default_graph",
        "GPUOptions",
        "train.AdamOptimizer",
        "train.GradientDescentOptimizer",
        "train.MomentumOptimizer",
        "train.RMSPropOptimizer",
        "train.Saver",
        "layers.dense",
        "layers.conv2d",
        "variable_scope",
        "random_normal",
        "random_uniform",
        "random_shuffle",
        "truncated_normal",
        "log",
        "to_float",
        "to_int32",
        "random.set_random_seed",
        "trainable_variables",
        "global_variables",
    ]
)
_GONE_FROM_KERAS = frozenset(
    [
        "backend.set_session",
        "backend.get_session",
        "backend.tensorflow_backend.set_session",
        "backend.tensorflow_backend.get_session",
        "backend.set_learning_phase",
        "backend.learning_phase",
    ]
)


def _variables(trace: Trace) -> Iterator[tuple[Event, str, ast.AST]]:
    """Yield each environment variable that the script sets: where, its name, and the text node."""
    for event in trace.events:
        keys: list[ast.AST | None] = []
        if isinstance(event.node, ast.Assign):
            keys += (
                target.slice
                for target in event.node.targets
                if isinstance(target, ast.Subscript) and _is_environ(trace, target.value)
            )
        elif event.name in {"os.environ.setdefault", "os.putenv"} and event.args:
            keys.append(event.args[0].node)
        elif event.name == "os.environ.update":
            yield from ((event, word, event.node) for word in event.keywords if word != "**")
            for part in event.args:
                keys += part.node.keys if isinstance(part.node, ast.Dict) else ()
        for key in keys:
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield event, key.value, key


def _is_environ(trace: Trace, node: ast.expr) -> bool:
    return ast.unparse(node) in {"os.environ", "environ"} and trace.imports("os")


@rule(
    "FPD301",
    "hash-seed-in-process",
    "{found} is set inside the process, where it has no effect",
    reason="Python reads PYTHONHASHSEED when it starts; setting it later changes no hash.",
    remedy="Set it in the shell (PYTHONHASHSEED=0 python train.py), or sort sets before "
    "iterating over them.",
)
def hash_seed_in_process(trace: Trace) -> Iterator[Hit]:
    children = ("subprocess", "multiprocessing", "concurrent.futures")
    starts = any(
        event.name.startswith(("os.exec", "os.spawn", "os.system")) for event in trace.calls()
    )
    if starts or any(map(trace.imports, children)):
        return  # processes that this one starts will read it
    for event, name, _ in _variables(trace):
        if name == "PYTHONHASHSEED":
            yield Hit(event.node, name)


@rule(
    "FPD302",
    "misspelt-variable",
    "{found}; nothing reads that environment variable",
    reason="An unknown variable is accepted silently and has no effect.",
    remedy="Correct the spelling.",
    fixable=True,
)
def misspelt_variable(trace: Trace) -> Iterator[Hit]:
    for _, name, node in _variables(trace):
        if name not in _KNOWN and len(name) >= 8:
            near = [known for known in sorted(_KNOWN) if 0 < _edits(name.upper(), known) <= 2]
            near += [known for known in _KNOWN if name.upper() == known]
            if near:
                best = min(near, key=lambda known: _edits(name.upper(), known))
                fix = Fix("string", best) if isinstance(node, ast.Constant) else None
                yield Hit(node, f"{name!r} looks like a misspelt {best}", fix)


def _edits(a: str, b: str) -> int:
    """Return the edit distance of two names; 9 if their lengths differ by more than 2."""
    if abs(len(a) - len(b)) > 2:
        return 9
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (left != right))
    return row[-1]


@rule(
    "FPD303",
    "variable-too-late",
    "{found}, which has already read it",
    reason="The library reads the variable once, when it is imported or runs its first operation.",
    remedy="Set it in the shell, or in the first lines before any other import.",
)
def variable_too_late(trace: Trace) -> Iterator[Hit]:
    for event, name, _ in _variables(trace):
        if not event.reached:
            continue
        before = trace.events[: event.index]
        readers = _READ_AT_IMPORT.get(name, ())
        for other in before:
            top = other.name.split(".")[0]
            if isinstance(other.node, ast.Import | ast.ImportFrom) and top in readers:
                yield Hit(event.node, f"{name} is set after the import of {top}")
                break
            if name in _READ_AT_FIRST_OP and other.reached and runs_tensorflow(other):
                yield Hit(event.node, f"{name} is set after {written(other.node)} ran TensorFlow")
                break


def _determinism(trace: Trace) -> Event | None:
    return next((event for event in trace.calls(DETERMINISM) if event.reached), None)


@rule(
    "FPD304",
    "determinism-not-called",
    "{found} is named, but not called",
    reason="Without parentheses the line does nothing.",
    remedy="Write tf.config.experimental.enable_op_determinism().",
    fixable=True,
)
def determinism_not_called(trace: Trace) -> Iterator[Hit]:
    for event in trace.of(ast.Expr):
        if event.name == DETERMINISM:
            node = event.node.value  # type: ignore[attr-defined]
            yield Hit(node, ast.unparse(node), Fix("call"))


@rule(
    "FPD305",
    "determinism-too-late",
    "{found} is called after the model has run",
    reason="Earlier operations were not deterministic, and the weights depend on their results.",
    remedy="Call it right after the imports and the seed.",
    lesson="06_gpu.ipynb",
)
def determinism_too_late(trace: Trace) -> Iterator[Hit]:
    enabled = _determinism(trace)
    if enabled and any(e.reached and trains(e) for e in trace.calls() if e.index < enabled.index):
        yield Hit(enabled.node, written(enabled.node))


@rule(
    "FPD306",
    "determinism-without-seed",
    "{found} without a seed makes random operations raise",
    reason="With op determinism enabled, TensorFlow does not draw a default seed.",
    remedy="Call keras.utils.set_random_seed(0) before it.",
)
def determinism_without_seed(trace: Trace) -> Iterator[Hit]:
    enabled = _determinism(trace)
    if enabled and "TensorFlow" not in seeded(trace):
        for event in trace.calls():
            shuffles = is_dataset(event.name) and method_of(event.name)[1] == "shuffle"
            unseeded = shuffles and "seed" not in event.keywords
            if event.reached and (draws_from(event) == "TensorFlow" or unseeded or trains(event)):
                yield Hit(enabled.node, written(enabled.node))
                return


@rule(
    "FPD307",
    "threads-too-late",
    "{found} is called after TensorFlow has started",
    reason="TensorFlow creates its thread pools when the first operation runs; later calls "
    "raise an error.",
    remedy="Set the threads right after the import.",
    lesson="04_threads.ipynb",
)
def threads_too_late(trace: Trace) -> Iterator[Hit]:
    started = False
    for event in trace.calls():
        started = started or (event.reached and runs_tensorflow(event))
        sets = event.name.startswith("tensorflow.config.threading.set_")
        if started and sets and event.reached:
            yield Hit(event.node, written(event.node))


@rule(
    "FPD308",
    "refused-under-determinism",
    "{found} raises when op determinism is enabled",
    reason="The global generator starts from a nondeterministic state, so TensorFlow raises an "
    "error.",
    remedy="Use tf.random.Generator.from_seed(0).",
    lesson="06_gpu.ipynb",
)
def refused_under_determinism(trace: Trace) -> Iterator[Hit]:
    enabled = _determinism(trace)
    replaced = trace.calls("tensorflow.random.set_global_generator")
    for event in trace.calls("tensorflow.random.get_global_generator"):
        if enabled and event.index > enabled.index and not replaced:
            yield Hit(event.node, written(event.node))


@rule(
    "FPD310",
    "refused-on-gpu",
    "{found} raises on a GPU when op determinism is enabled",
    reason="TensorFlow has no deterministic GPU version of it, or of its gradient: 'Determinism is "
    "not yet supported in GPU implementation of' it.",
    remedy="Place it on the CPU with tf.device('CPU'), or compute it another way.",
    lesson="06_gpu.ipynb",
)
def refused_on_gpu(trace: Trace) -> Iterator[Hit]:
    if _determinism(trace):
        on_cpu = {node for node, entered in trace.withs.items() if "tensorflow.device()" in entered}
        for event in trace.calls(*_REFUSED_ON_GPU):
            if not on_cpu & set(event.around):
                yield Hit(event.node, written(event.node))


@rule(
    "FPD309",
    "removed-call",
    "{found} does not exist in TensorFlow 2 and Keras 3",
    reason="Recipes for TensorFlow 1 set seeds and threads through a session. TensorFlow 2 has "
    "no sessions, and the line raises an error.",
    remedy="Use keras.utils.set_random_seed and tf.config.threading.",
)
def removed_call(trace: Trace) -> Iterator[Hit]:
    if trace.imports("tensorflow.python.keras"):
        return  # which has them still
    for event in trace.calls():
        library, _, name = event.name.partition(".")
        gone = {"tensorflow": _GONE, "keras": _GONE_FROM_KERAS}.get(library, frozenset())
        if name in gone and not _is_conditional(trace, event):
            yield Hit(event.node, written(event.node))


def _is_conditional(trace: Trace, event: Event) -> bool:
    """Return whether the script asks first whether the call is there."""
    node: ast.AST | None = event.node
    while node is not None:
        if isinstance(node, ast.If | ast.Try | ast.IfExp):
            return True
        node = trace.parent.get(node)
    return False
