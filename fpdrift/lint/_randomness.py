"""Which calls seed a generator, which draw from one, and which train a model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fpdrift.lint._names import is_dataset, is_model, method_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fpdrift.lint._trace import Event, Trace, Value

DETERMINISM = "tensorflow.config.experimental.enable_op_determinism"
ALL = frozenset({"Python", "NumPy", "TensorFlow"})
#: Function -> the global generators that it seeds.
SEEDERS = {
    "random.seed": frozenset({"Python"}),
    "random.setstate": frozenset({"Python"}),
    "numpy.random.seed": frozenset({"NumPy"}),
    "numpy.random.set_state": frozenset({"NumPy"}),
    "tensorflow.random.set_seed": frozenset({"TensorFlow"}),
    "tensorflow.set_random_seed": frozenset({"TensorFlow"}),
    "tensorflow.random.set_random_seed": frozenset({"TensorFlow"}),
    "tensorflow.compat.v1.set_random_seed": frozenset({"TensorFlow"}),
    "tensorflow.compat.v1.random.set_random_seed": frozenset({"TensorFlow"}),
    "keras.utils.set_random_seed": ALL,
}
_PYTHON = [
    "betavariate",
    "choice",
    "choices",
    "expovariate",
    "gammavariate",
    "gauss",
    "getrandbits",
    "lognormvariate",
    "normalvariate",
    "paretovariate",
    "randbytes",
    "randint",
    "random",
    "randrange",
    "sample",
    "shuffle",
    "triangular",
    "uniform",
    "vonmisesvariate",
    "weibullvariate",
]
_NOT_NUMPY = {"seed", "get_state", "set_state", "default_rng"}
_TENSORFLOW = [
    "categorical",
    "gamma",
    "normal",
    "poisson",
    "shuffle",
    "truncated_normal",
    "uniform",
]
_KERAS = [
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]
_TRAINS = {"fit", "fit_generator", "train_on_batch"}
_RUNS = _TRAINS | {"predict", "evaluate", "predict_on_batch", "test_on_batch"}
_SEEDS_BY_NAME = re.compile(r"seed|determinis|reproducib", re.IGNORECASE)
_LIBRARIES = re.compile(
    r"(random|numpy|tensorflow|keras|sklearn|scipy|torch|jax|builtins|os|print)\b"
)


_WEIGHTED = re.compile(
    r"keras\.layers\.(Dense|EinsumDense|Conv\w+|SeparableConv\w+|DepthwiseConv\w+|LSTM|GRU"
    r"|SimpleRNN|Embedding|MultiHeadAttention)|keras\.applications\.[\w.]*[A-Z]\w+"
)


def seeds(event: Event) -> frozenset[str]:
    """Return the global generators that a call seeds; all, if a stranger's name promises it."""
    if event.name in SEEDERS:
        return SEEDERS[event.name]
    method = method_of(event.name)[1]
    known = _LIBRARIES.match(event.name) and not event.name.startswith("builtins.set_")
    if known or "()" in event.name or event.name.startswith("?"):
        return frozenset()
    return ALL if _SEEDS_BY_NAME.search(method) and not method.startswith("get") else frozenset()


def seeded(trace: Trace, *, reached: bool = False) -> frozenset[str]:
    """Return the global generators that a script seeds anywhere."""
    events = (event for event in trace.calls() if event.reached or not reached)
    return frozenset().union(*map(seeds, events))


def draws_from(event: Event) -> str:
    """Return the global generator that a call draws from: its name, or nothing."""
    module, function = method_of(event.name)
    if module == "random" and function in _PYTHON:
        return "Python"
    if module == "numpy.random" and function not in _NOT_NUMPY and function.islower():
        return "NumPy"
    unseeded = not _given(event.keywords.get("seed"))
    if module == "tensorflow.random" and function in _TENSORFLOW and unseeded:
        return "TensorFlow"
    if module == "tensorflow.image" and function.startswith("random_") and unseeded:
        return "TensorFlow"
    if module == "keras.random" and function in _KERAS and unseeded:
        return "Python"  # Keras draws the default seed from it
    return ""


def _given(value: Value | None) -> bool:
    return value is not None and value.constant() is not None


def builds_layers(event: Event) -> bool:
    """Return whether a call makes a layer or network whose weights Keras draws."""
    return bool(_WEIGHTED.fullmatch(event.name))


def trains(event: Event) -> bool:
    """Return whether a call trains a Keras model."""
    owner, method = method_of(event.name)
    if method not in _TRAINS:
        return False
    return is_model(owner) or (owner.startswith("?") and bool({"epochs"} & set(event.keywords)))


def runs_tensorflow(event: Event) -> bool:
    """Return whether a call certainly runs an operation of TensorFlow."""
    owner, method = method_of(event.name)
    if method in _RUNS and is_model(owner):
        return True
    operations = "constant convert_to_tensor zeros ones fill eye range Variable matmul cast stack"
    return (owner == "tensorflow" and method in operations.split()) or (
        owner == "tensorflow.random" and method in _TENSORFLOW
    )


@dataclass(frozen=True)
class Draw:
    """A draw from a global generator."""

    event: Event
    generator: str


def draws(events: Iterable[Event]) -> list[Draw]:
    """Return the draws from global generators, in order."""
    found = (Draw(event, draws_from(event)) for event in events if hasattr(event.node, "func"))
    return [draw for draw in found if draw.generator]


def is_unseeded_training(trace: Trace) -> Event | None:
    """Return the first training that runs in a script in which nothing is seeded."""
    calls = [event for event in trace.calls() if event.reached]
    known = (event for event in calls if is_model(method_of(event.name)[0]))  # made in this file
    first = next((event for event in known if trains(event)), None)
    return first if first and trace.imports_keras() and not seeded(trace) else None


def parallel_functions(trace: Trace) -> list[tuple[Event, list[Event]]]:
    """Return each parallel ``map`` or ``interleave`` of a dataset, and what happens in it."""
    return [
        (event, trace.inside(event.node))
        for event in trace.calls()
        if is_dataset(event.name)
        and method_of(event.name)[1] in {"map", "interleave"}
        and "num_parallel_calls" in event.keywords
        and event.keywords["num_parallel_calls"].constant() not in {None, 1}
        and event.keywords.get("deterministic", event.value).constant() is not False
    ]
