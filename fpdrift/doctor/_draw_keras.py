"""A ledger watches the generators of TensorFlow and Keras.

Functions are replaced in the module that defines them, before anyone imports their names.
"""

from __future__ import annotations

import functools
import os
import sys
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from fpdrift.doctor._draw_digests import describe_seed, digest_of, hash_bytes
from fpdrift.doctor._draw_hooks import after_import
from fpdrift.doctor._draw_wrappers import Enter, argument, first_of, watch_function, watched

if TYPE_CHECKING:
    from fpdrift.doctor._draws import Ledger

_TENSORFLOW = {
    "random_normal": "normal",
    "truncated_normal": "truncated_normal",
    "random_uniform": "uniform",
    "random_shuffle": "shuffle",
    "categorical": "categorical",
    "random_gamma": "gamma",
    "random_poisson_v2": "poisson",
}
_TF_METHODS = (
    *("normal", "truncated_normal", "uniform", "uniform_full_int", "binomial", "make_seeds"),
    "split",
)
_TF_SOURCES = ("from_seed", "from_state", "from_key_counter", "from_non_deterministic_state")
_KERAS = (
    *("normal", "categorical", "uniform", "randint", "truncated_normal", "dropout", "shuffle"),
    *("gamma", "binomial", "beta"),
)


def watch_keras(ledger: Ledger) -> None:
    """Have a ledger watch TensorFlow and Keras, once a script imports them."""
    ops, keras = "tensorflow.python.ops", "keras.src"
    for name, watch in (
        (f"{ops}.random_ops", _watch_tf_functions),
        (f"{ops}.stateful_random_ops", _watch_tf_generators),
        ("tensorflow.python.framework.random_seed", _watch_tf_seed),
        ("tensorflow.python.data.ops.dataset_ops", _watch_tf_data),
        (f"{keras}.random.seed_generator", _watch_keras_generators),
        (f"{keras}.random.random", _watch_keras_functions),
        (f"{keras}.utils.rng_utils", _watch_keras_seed),
    ):
        after_import(name, functools.partial(watch, ledger))


def _watch_tf_functions(ledger: Ledger, module: ModuleType) -> None:
    for name, public in _TENSORFLOW.items():
        entered = _enter_tf(ledger, f"tf.random.{public}")
        watch_function(module, name, ledger, entered, whole=True)


def _enter_tf(ledger: Ledger, call: str) -> Enter:
    def enter(frame: FrameType, _args: Any, kwargs: dict[str, Any], value: Any) -> None:
        digest = digest_of(value)
        if digest is None and kwargs.get("seed") is None and _tf_is_unseeded():
            digest = _unlike_any()  # in a graph, where each run's values are its own
        if digest is not None:
            ledger.draw(frame, "tensorflow", call, digest)

    return enter


def _tf_is_unseeded() -> bool:
    """Return whether TensorFlow would take a seed from entropy; asking for one would draw one."""
    ops: Any = sys.modules["tensorflow.python.framework.ops"]
    context: Any = sys.modules["tensorflow.python.eager.context"]
    eager = context.executing_eagerly()
    return (context.global_seed() if eager else ops.get_default_graph().seed) is None


def _unlike_any() -> bytes:
    """Return a digest that no other run has."""
    return hash_bytes(os.urandom(16))


def _watch_tf_generators(ledger: Ledger, module: Any) -> None:
    kind = module.Generator
    numbers: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
    for name in _TF_METHODS:
        entered = _enter_tf_method(ledger, name, numbers)
        watch_function(kind, name, ledger, entered, whole=True)
    for name in _TF_SOURCES:
        if name in vars(kind):
            entered = _enter_tf_source(ledger, name, numbers)
            inner = vars(kind)[name].__func__
            setattr(kind, name, classmethod(watched(ledger, inner, entered, whole=True)))


def _enter_tf_method(ledger: Ledger, name: str, numbers: WeakKeyDictionary[Any, int]) -> Enter:
    def enter(frame: FrameType, args: tuple[Any, ...], _kwargs: Any, value: Any) -> None:
        drawn = [item.key for item in value] if name == "split" else value
        digest = digest_of(drawn)
        if digest is not None:
            number = numbers.get(args[0], 0)
            ledger.draw(frame, "tensorflow", f"tf.random.Generator.{name}", digest, instance=number)

    return enter


def _enter_tf_source(ledger: Ledger, name: str, numbers: WeakKeyDictionary[Any, int]) -> Enter:
    call = f"tf.random.Generator.{name}"

    def enter(frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any], value: Any) -> None:
        numbers[value] = ledger.next_number()
        seeded = name != "from_non_deterministic_state"
        seed = describe_seed(first_of([*args[1:], *kwargs.values()])) if seeded else None
        ledger.seed(frame, "tensorflow", call, seed, instance=numbers[value])

    return enter


def _watch_tf_seed(ledger: Ledger, module: ModuleType) -> None:
    def enter(frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any], _value: Any) -> None:
        value = describe_seed(argument(args, kwargs, 0, "seed"))
        ledger.seed(frame, "tensorflow", "tf.random.set_seed", value)

    watch_function(module, "set_seed", ledger, enter)


def _watch_tf_data(ledger: Ledger, module: Any) -> None:
    def enter(frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any], _value: Any) -> None:
        value = describe_seed(argument(args, kwargs, 2, "seed"))
        digest = _unlike_any() if value is None and _tf_is_unseeded() else None
        ledger.seed(frame, "tensorflow", "tf.data.Dataset.shuffle", value, digest=digest)

    watch_function(module.DatasetV2, "shuffle", ledger, enter, whole=True)


def _watch_keras_generators(ledger: Ledger, module: Any) -> None:
    made: WeakKeyDictionary[Any, tuple[int, Any]] = WeakKeyDictionary()

    def enter_made(frame: FrameType, args: Any, kwargs: dict[str, Any], _value: Any) -> None:
        number = ledger.next_number()
        made[args[0]] = number, ledger.places.of(frame)
        value = describe_seed(argument(args, kwargs, 1, "seed"))
        call = "keras.random.SeedGenerator"
        ledger.seed(frame, "keras", call, value, instance=number)

    def enter_next(frame: FrameType, args: Any, _kwargs: Any, value: Any) -> None:
        digest = digest_of(value)
        if digest is not None:
            number, place = made.get(args[0], (0, None))
            # Inside a layer: the line that made the layer says more than the one that trains it.
            place = place if ledger.places.library(frame) else None
            call = "SeedGenerator.next"
            ledger.draw(frame, "keras", call, digest, instance=number, place=place)

    watch_function(module.SeedGenerator, "__init__", ledger, enter_made)
    watch_function(module.SeedGenerator, "next", ledger, enter_next)


def _watch_keras_functions(ledger: Ledger, module: ModuleType) -> None:
    for name in _KERAS:
        if hasattr(module, name):
            entered = _enter_keras(ledger, f"keras.random.{name}")
            watch_function(module, name, ledger, entered, whole=True)


def _enter_keras(ledger: Ledger, call: str) -> Enter:
    def enter(frame: FrameType, _args: Any, kwargs: dict[str, Any], value: Any) -> None:
        # With an integer it is a function of its arguments: no draw.
        seed = kwargs.get("seed")
        digest = None if isinstance(seed, int) else digest_of(value)
        if digest is not None:
            ledger.draw(frame, "keras", call, digest)

    return enter


def _watch_keras_seed(ledger: Ledger, module: ModuleType) -> None:
    def enter(frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any], _value: Any) -> None:
        value = describe_seed(argument(args, kwargs, 0, "seed"))
        ledger.seed(frame, "keras", "keras.utils.set_random_seed", value)

    watch_function(module, "set_random_seed", ledger, enter, whole=True)
