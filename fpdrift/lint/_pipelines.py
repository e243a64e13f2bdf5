"""FPD4: data that arrive in another order or draw in another order."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from fpdrift.lint._names import is_dataset, method_of
from fpdrift.lint._randomness import (
    DETERMINISM,
    draws,
    draws_from,
    is_unseeded_training,
    parallel_functions,
    seeded,
)
from fpdrift.lint._rule import Hit, rule
from fpdrift.lint._seeds import written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fpdrift.lint._trace import Event, Trace

_RANDOM_LAYER = re.compile(r"keras\.layers\.(Random\w+|Dropout|GaussianNoise|GaussianDropout)\(\)")


def _is_deterministic(trace: Trace) -> bool:
    return bool(trace.calls(DETERMINISM))


@rule(
    "FPD401",
    "unseeded-shuffle",
    "{found} shuffles differently in every run",
    reason="Neither the call nor the script sets a seed, so TensorFlow draws one.",
    remedy="Call keras.utils.set_random_seed(0) first, or pass seed=0.",
)
def unseeded_shuffle(trace: Trace) -> Iterator[Hit]:
    if is_unseeded_training(trace) or _is_deterministic(trace) or "TensorFlow" in seeded(trace):
        return
    for event in trace.calls():
        owner, method = method_of(event.name)
        lists = method == "list_files" and not event.says("shuffle", False)
        shuffles = is_dataset(event.name) and (method == "shuffle" or lists)
        at = 1 if method == "shuffle" else 2
        if shuffles and event.reached and event.argument(at, "seed") is None and owner:
            yield Hit(event.node, written(event.node))


@rule(
    "FPD402",
    "random-op-in-parallel-map",
    "{found} draws random numbers in parallel calls",
    reason="The calls share one random state and use it in the order in which threads run.",
    remedy="Use tf.random.stateless_* with a seed from the data (such as an index), leave "
    "out num_parallel_calls, or enable op determinism.",
    lesson="04_threads.ipynb",
)
def random_op_in_parallel_map(trace: Trace) -> Iterator[Hit]:
    for event, inside in [] if _is_deterministic(trace) else parallel_functions(trace):
        own = _RANDOM_LAYER.fullmatch(event.args[0].name) if event.args else None
        stateful = (
            draws_from(e) == "TensorFlow" or _RANDOM_LAYER.fullmatch(e.name) for e in inside
        )
        seeded_ops = (_draws_despite_seed(e) for e in inside)
        if own or any(stateful) or any(seeded_ops):
            yield Hit(event.node, written(event.node))


def _draws_despite_seed(event: Event) -> bool:
    """Return whether an operation draws from a state that calls share, whatever its seed."""
    module, function = method_of(event.name)
    names = ["uniform", "normal", "shuffle", "truncated_normal", "gamma", "categorical", "poisson"]
    if module == "tensorflow.random":
        return function in names
    return module == "tensorflow.image" and function.startswith("random_")


@rule(
    "FPD403",
    "numpy-draw-in-parallel-map",
    "{found} draws from a global generator in parallel calls of Python code",
    reason="The calls share one generator and use it in the order in which threads run. Op "
    "determinism does not affect Python code.",
    remedy="Draw with numpy.random.default_rng(i) from an index in the data, or leave out "
    "num_parallel_calls.",
    lesson="04_threads.ipynb",
)
def numpy_draw_in_parallel_map(trace: Trace) -> Iterator[Hit]:
    for event, inside in parallel_functions(trace):
        python = [
            call
            for call in inside
            if call.name in {"tensorflow.numpy_function", "tensorflow.py_function"}
        ]
        for call in python:
            if any(d.generator in {"NumPy", "Python"} for d in draws(trace.inside(call.node))):
                yield Hit(event.node, written(event.node))


@rule(
    "FPD404",
    "order-given-up",
    "{found} allows elements in any order",
    reason="With deterministic=False tf.data returns whichever element is ready first.",
    remedy="Leave it out: the default keeps the order.",
    lesson="04_threads.ipynb",
)
def order_given_up(trace: Trace) -> Iterator[Hit]:
    if _is_deterministic(trace):
        return  # it overrules this
    for event in trace.calls():
        if is_dataset(event.name) and event.says("deterministic", False):
            yield Hit(event.node, f"{written(event.node)}(deterministic=False)")
    for event in trace.of(ast.Assign):
        for target in event.node.targets:  # type: ignore[attr-defined]
            if (
                isinstance(target, ast.Attribute)
                and target.attr in {"deterministic", "experimental_deterministic"}
                and event.value.constant() is False
                and trace.calls("tensorflow.data.Options")
            ):
                yield Hit(event.node, ast.unparse(event.node))


@rule(
    "FPD405",
    "workers-with-draws",
    "{found} draws from a global generator in several workers",
    reason="Workers of a PyDataset call __getitem__ at the same time and draw in the order in "
    "which they run.",
    remedy="Draw with numpy.random.default_rng((seed, index)) in __getitem__.",
    lesson="04_threads.ipynb",
)
def workers_with_draws(trace: Trace) -> Iterator[Hit]:
    for event in trace.of(ast.ClassDef):
        node = event.node
        assert isinstance(node, ast.ClassDef)  # noqa: S101 - for the type checker
        if event.name == "keras.utils.PyDataset" and _is_parallel(trace, node):
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name == "__getitem__":
                    found = draws(trace.inside(method))
                    if any(draw.generator in {"NumPy", "Python"} for draw in found):
                        yield Hit(found[0].event.node, written(found[0].event.node))


def _is_parallel(trace: Trace, node: ast.ClassDef) -> bool:
    """Return whether a PyDataset is made with several workers."""
    within = set(ast.walk(node))
    for event in trace.calls():
        made = event.value.owner is node or (
            event.node in within and event.name.endswith("__init__")
        )
        count = event.keywords.get("workers", event.value).constant()
        many = isinstance(count, int) and count > 1
        if made and (many or event.says("use_multiprocessing", True)):
            return True
    return False
