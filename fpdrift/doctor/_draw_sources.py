"""The functions that a ledger of draws watches: Python's, NumPy's, Keras' and TensorFlow's.

Functions are replaced in the module that defines them, before anyone else imports their names.
Python's and TensorFlow's classes get watched methods. NumPy's generators are compiled classes,
which do not take any, so subclasses stand for them; the same bit generator draws in the same order.
"""

from __future__ import annotations

import functools
import os
import random
import sys
from abc import ABCMeta
from collections.abc import Callable, Iterable
from types import FrameType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from fpdrift.doctor._draw_hooks import after_import
from fpdrift.doctor._draws import (
    LIBRARY,
    Ledger,
    describe_seed,
    digest_of,
    digest_of_state,
    hash_bytes,
)

#: Takes the caller's frame, the arguments and the value of a call, and enters it.
Enter = Callable[[FrameType, tuple[Any, ...], dict[str, Any], Any], None]

_PYTHON = (
    *("random", "uniform", "triangular", "randint", "choice", "randrange", "sample", "shuffle"),
    *("choices", "normalvariate", "lognormvariate", "expovariate", "vonmisesvariate"),
    *("gammavariate", "gauss", "betavariate", "binomialvariate", "paretovariate"),
    *("weibullvariate", "getrandbits", "randbytes"),
)
#: They draw positions in the caller's data, which may differ where the draw does not.
_FROM_DATA = frozenset({"choice", "choices", "permutation", "permuted", "sample", "shuffle"})
_SECRETS = ("choice", "randbelow", "randbits", "token_bytes", "token_hex", "token_urlsafe")
#: NumPy's methods that do not draw.
_NO_DRAW = frozenset({"bit_generator", "get_state", "seed", "set_state", "spawn"})
_NUMBER = "_fpdrift_number"

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


def watch_all(ledger: Ledger, root: str | None) -> None:
    """Have a ledger watch every generator from now on, until the process ends.

    Nothing outside the standard library is imported: NumPy, Keras and TensorFlow are watched as
    soon as the script imports them. One that is loaded already is watched as far as its names have
    not been imported from it, so call this before the script starts.

    Parameters
    ----------
    ledger : Ledger
    root : str or None
        Folder of the script; places in it are named relative to it.

    Raises
    ------
    FpdriftError
        If a ledger watches this process already.
    """
    ledger.begin(root)
    _watch_python(ledger)
    _watch_entropy(ledger)
    ops, keras = "tensorflow.python.ops", "keras.src"
    for name, watch in (
        ("numpy.random", _watch_numpy),
        (f"{ops}.random_ops", _watch_tf_functions),
        (f"{ops}.stateful_random_ops", _watch_tf_generators),
        ("tensorflow.python.framework.random_seed", _watch_tf_seed),
        ("tensorflow.python.data.ops.dataset_ops", _watch_tf_data),
        (f"{keras}.random.seed_generator", _watch_keras_generators),
        (f"{keras}.random.random", _watch_keras_functions),
        (f"{keras}.utils.rng_utils", _watch_keras_seed),
    ):
        after_import(name, functools.partial(watch, ledger))


def _watched(ledger: Ledger, original: Any, enter: Enter, *, whole: bool = False) -> Any:
    """Return a function that calls another one and has `enter` enter the call.

    Parameters
    ----------
    whole : bool
        What the function draws or seeds inside is part of it, and not entered.
    """

    @functools.wraps(original)
    def watched(*args: Any, **kwargs: Any) -> Any:
        frame = sys._getframe(1)  # noqa: SLF001 - `inspect` has no cheaper way to the caller
        if ledger.ignores(frame):
            return original(*args, **kwargs)
        value = ledger.nested(original, *args, **kwargs) if whole else original(*args, **kwargs)
        try:
            enter(frame, args, kwargs, value)
        except Exception:  # noqa: BLE001 - a ledger that fails must not stop a training
            ledger.failures += 1
        return value

    return watched


def _watched_choice(ledger: Ledger, original: Any, enter: Enter) -> Any:
    """Return Python's `choice`, having it choose a position, which is what it draws."""

    @functools.wraps(original)
    def choice(*args: Any, **kwargs: Any) -> Any:
        frame = sys._getframe(1)  # noqa: SLF001 - as above
        if kwargs or not args or ledger.ignores(frame):
            return original(*args, **kwargs)
        *of, sequence = args
        position = original(*of, range(len(sequence)))
        _attempt(ledger, enter, frame, args, kwargs, position)
        return sequence[position]

    return choice


def _attempt(ledger: Ledger, enter: Enter, *call: Any) -> None:
    try:
        enter(*call)
    except Exception:  # noqa: BLE001 - a ledger that fails must not stop a training
        ledger.failures += 1


def _first(values: Iterable[Any]) -> Any:
    return next(iter(values), None)


def _given(args: tuple[Any, ...], kwargs: dict[str, Any], at: int, name: str) -> Any:
    """Return an argument that was given by position or by name; None if it was not."""
    return args[at] if len(args) > at else kwargs.get(name)


# Python


def _watch_python(ledger: Ledger) -> None:
    numbers: WeakKeyDictionary[random.Random, int] = WeakKeyDictionary()
    for name in filter(functools.partial(hasattr, random.Random), _PYTHON):
        wrap = _watched_choice if name == "choice" else _watched
        method = _enter_python_method(ledger, name, numbers)
        bound = getattr(random, name)
        for kind in (random.Random, random.SystemRandom):
            if kind is random.Random or name in vars(kind):
                setattr(kind, name, wrap(ledger, getattr(kind, name), method))
        setattr(random, name, wrap(ledger, bound, _enter_python(ledger, name)))
    # `random.shuffle` takes a `getrandbits` for each item: on the instance it finds the plain one.
    shared: Any = random.seed.__self__  # type: ignore[attr-defined]
    for name in ("random", "getrandbits"):
        setattr(shared, name, getattr(random, name).__wrapped__)
    for name in ("seed", "setstate"):
        _replace(random, name, ledger, _enter_python_seed(ledger, f"random.{name}"))
    for name in ("__init__", "seed", "setstate", "__setstate__"):
        call = "random.Random" if name == "__init__" else f"Random.{name.strip('_')}"
        _replace(random.Random, name, ledger, _enter_python_seed(ledger, call, numbers))


def _replace(owner: Any, name: str, ledger: Ledger, enter: Enter, *, whole: bool = False) -> None:
    if hasattr(owner, name):
        setattr(owner, name, _watched(ledger, getattr(owner, name), enter, whole=whole))


def _enter_python(ledger: Ledger, name: str) -> Enter:
    call, from_state = f"random.{name}", name in _FROM_DATA and name != "choice"

    def enter(frame: FrameType, _args: Any, _kwargs: Any, value: Any) -> None:
        digest = digest_of_state(random.getstate()) if from_state else digest_of(value)
        ledger.draw(frame, "python", call, digest or b"")

    return enter


def _enter_python_method(
    ledger: Ledger, name: str, numbers: WeakKeyDictionary[random.Random, int]
) -> Enter:
    from_state = name in _FROM_DATA and name != "choice"
    entropy = _enter_entropy(ledger, f"SystemRandom.{name}")

    def enter(frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any], value: Any) -> None:
        this = args[0]
        if isinstance(this, random.SystemRandom):
            entropy(frame, args[1:], kwargs, value)
            return
        if this not in numbers:
            numbers[this] = ledger.next_number()
        number = numbers[this]
        if number > 0:
            digest = digest_of_state(this.getstate()) if from_state else digest_of(value)
            ledger.draw(frame, "python", f"Random.{name}", digest or b"", instance=number)

    return enter


def _enter_python_seed(
    ledger: Ledger, call: str, numbers: WeakKeyDictionary[random.Random, int] | None = None
) -> Enter:
    def enter(frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any], _value: Any) -> None:
        number, given = 0, args
        if numbers is not None:
            this, *rest = args
            given = tuple(rest)
            if isinstance(this, random.SystemRandom):
                return
            made = call.endswith(".Random")
            # A library's own generator chooses names, or waits; the script's results need none.
            if made and ledger.places.library(frame):
                numbers[this] = -1
            elif made or this not in numbers:
                numbers[this] = ledger.next_number()
            number = numbers[this]
        if number >= 0:
            value = _first([*given, *kwargs.values()])
            text = describe_seed(value)
            if call.endswith("setstate"):
                text = f"state {digest_of_state(value).hex()}"
            ledger.seed(frame, "python", call, text, instance=number)

    return enter


# The operating system's entropy


def _watch_entropy(ledger: Ledger) -> None:
    for owner, names in (("os", ("urandom", "getrandom")), ("secrets", _SECRETS)):
        after_import(owner, functools.partial(_watch_entropy_of, ledger, names))
    after_import("uuid", functools.partial(_watch_entropy_of, ledger, ("uuid1", "uuid4")))


def _watch_entropy_of(ledger: Ledger, names: tuple[str, ...], module: ModuleType) -> None:
    for name in names:
        _replace(module, name, ledger, _enter_entropy(ledger, f"{module.__name__}.{name}"))


def _enter_entropy(ledger: Ledger, call: str) -> Enter:
    def enter(frame: FrameType, args: tuple[Any, ...], _kwargs: Any, value: Any) -> None:
        # A library takes it for names and keys, all the time.
        if ledger.places.kind(frame.f_code.co_filename) < LIBRARY:
            drawn = args[0] if value is None and args else value
            drawn = drawn.bytes if hasattr(drawn, "bytes") else drawn
            ledger.draw(frame, "entropy", call, digest_of(drawn) or b"")

    return enter


# NumPy


class _StandsFor(ABCMeta):
    """The kind of a class that stands for another one: whatever is an instance of that is its.

    It derives from ABCMeta so that a script's class can inherit from an abstract one, too.
    """

    def __instancecheck__(cls, instance: object) -> bool:
        original = vars(cls).get("_fpdrift_original")
        return isinstance(instance, original) if original else super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        original = vars(cls).get("_fpdrift_original")
        return issubclass(subclass, original) if original else super().__subclasscheck__(subclass)


def _watch_numpy(ledger: Ledger, module: ModuleType) -> None:
    legacy, new = (sys.modules[f"numpy.random.{name}"] for name in ("mtrand", "_generator"))
    pickling = sys.modules["numpy.random._pickle"]
    before: Any = legacy._rand  # noqa: SLF001 - scikit-learn uses it
    for owner, name in ((legacy, "RandomState"), (new, "Generator")):
        stand_in = _stand_in(ledger, getattr(owner, name))
        for holder in (owner, module, pickling):
            if hasattr(holder, name):
                setattr(holder, name, stand_in)
    _watch_global_numpy(legacy, module, before)
    default_rng = _default_rng(ledger, module.default_rng, module.Generator)
    for holder in (new, module):
        holder.default_rng = default_rng  # type: ignore[attr-defined]


def _watch_global_numpy(legacy: Any, module: Any, before: Any) -> None:
    """Have the functions of `numpy.random` be methods of a watched generator in the same state."""
    rand = legacy.RandomState(before._bit_generator)  # noqa: SLF001 - RandomState has no other
    rand.set_state(before.get_state(legacy=False))
    setattr(rand, _NUMBER, 0)
    legacy._rand = rand  # noqa: SLF001 - as above
    for holder in (legacy, module):
        for name, value in list(vars(holder).items()):
            if getattr(value, "__self__", None) is before:
                setattr(holder, name, getattr(rand, value.__name__))


def _stand_in(ledger: Ledger, original: Any) -> Any:
    """Return a subclass of one of NumPy's generators, whose methods are watched."""
    kind = original.__name__
    inside: dict[str, Any] = {
        "__slots__": (_NUMBER,),
        "__module__": original.__module__,
        "__qualname__": original.__qualname__,
        "__doc__": original.__doc__,
        "_fpdrift_original": original,
    }
    for name, value in vars(original).items():
        if name[0] != "_" and name not in _NO_DRAW and callable(value):
            inside[name] = _watched(ledger, value, _enter_numpy(ledger, kind, name))
    for name in ("__init__", "seed", "set_state"):
        if hasattr(original, name):
            entered = _enter_numpy_seed(ledger, kind, name)
            inside[name] = _watched(ledger, getattr(original, name), entered)
    return _StandsFor(kind, (original,), inside)


def _number_of(ledger: Ledger, this: Any) -> int:
    number = getattr(this, _NUMBER, None)
    if number is None:
        number = ledger.next_number()
        setattr(this, _NUMBER, number)
    return int(number)


def _digest_of_bits(this: Any) -> bytes:
    """Return the hash of the state of a NumPy generator's bit generator."""
    return digest_of_state(this._bit_generator.state)  # noqa: SLF001 - RandomState has no other


def _enter_numpy(ledger: Ledger, kind: str, name: str) -> Enter:
    generator = "numpy" if kind == "RandomState" else "numpy generator"
    of_all, of_one = f"np.random.{name}", f"{kind}.{name}"
    positions = name in _FROM_DATA

    def enter(frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any], value: Any) -> None:
        this = args[0]
        if type(value) is float and not positions:  # the quick way: draws in a loop
            digest = digest_of(value)
        else:
            digest = None if draws_from_data(args[1:], kwargs) else digest_of(value)
        if digest is None:
            digest = _digest_of_bits(this)
        number = _number_of(ledger, this)
        ledger.draw(frame, generator, of_one if number else of_all, digest, instance=number)

    def draws_from_data(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        given = [*args, *kwargs.values()]
        if positions and not isinstance(_first(given), int):
            return True
        return any(hasattr(item, "__array__") for item in given)

    return enter


def _enter_numpy_seed(ledger: Ledger, kind: str, name: str) -> Enter:
    generator = "numpy" if kind == "RandomState" else "numpy generator"

    def enter(frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any], _value: Any) -> None:
        this, *given = args
        number = _number_of(ledger, this)
        value = describe_seed(_first([*given, *kwargs.values()]))
        if name == "set_state":
            value = f"state {_digest_of_bits(this).hex()}"
        made = name == "__init__"
        call = f"{kind}.{name}" if number else f"np.random.{name}"
        call = f"np.random.{kind}" if made else call
        ledger.seed(frame, generator, call, value, instance=number)

    return enter


def _default_rng(ledger: Ledger, original: Any, stand_in: Any) -> Any:
    original_kind = vars(stand_in)["_fpdrift_original"]

    @functools.wraps(original)
    def default_rng(seed: Any = None) -> Any:
        made = original(seed)
        if made is seed:
            return made
        if type(made) is original_kind:
            made = stand_in(made.bit_generator)
        frame = sys._getframe(1)  # noqa: SLF001 - as above
        if not ledger.ignores(frame):
            _attempt(ledger, enter, frame, (seed,), {}, made)
        return made

    def enter(frame: FrameType, args: tuple[Any, ...], _kwargs: Any, made: Any) -> None:
        call, value = "np.random.default_rng", describe_seed(args[0])
        number = _number_of(ledger, made)
        ledger.seed(frame, "numpy generator", call, value, instance=number)

    return default_rng


# TensorFlow


def _watch_tf_functions(ledger: Ledger, module: ModuleType) -> None:
    for name, public in _TENSORFLOW.items():
        entered = _enter_tf(ledger, f"tf.random.{public}")
        _replace(module, name, ledger, entered, whole=True)


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
        _replace(kind, name, ledger, entered, whole=True)
    for name in _TF_SOURCES:
        if name in vars(kind):
            entered = _enter_tf_source(ledger, name, numbers)
            inner = vars(kind)[name].__func__
            setattr(kind, name, classmethod(_watched(ledger, inner, entered, whole=True)))


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
        seed = describe_seed(_first([*args[1:], *kwargs.values()])) if seeded else None
        ledger.seed(frame, "tensorflow", call, seed, instance=numbers[value])

    return enter


def _watch_tf_seed(ledger: Ledger, module: ModuleType) -> None:
    def enter(frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any], _value: Any) -> None:
        value = describe_seed(_given(args, kwargs, 0, "seed"))
        ledger.seed(frame, "tensorflow", "tf.random.set_seed", value)

    _replace(module, "set_seed", ledger, enter)


def _watch_tf_data(ledger: Ledger, module: Any) -> None:
    def enter(frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any], _value: Any) -> None:
        value = describe_seed(_given(args, kwargs, 2, "seed"))
        digest = _unlike_any() if value is None and _tf_is_unseeded() else None
        ledger.seed(frame, "tensorflow", "tf.data.Dataset.shuffle", value, digest=digest)

    _replace(module.DatasetV2, "shuffle", ledger, enter, whole=True)


# Keras


def _watch_keras_generators(ledger: Ledger, module: Any) -> None:
    made: WeakKeyDictionary[Any, tuple[int, Any]] = WeakKeyDictionary()

    def enter_made(frame: FrameType, args: Any, kwargs: dict[str, Any], _value: Any) -> None:
        number = ledger.next_number()
        made[args[0]] = number, ledger.places.of(frame)
        value = describe_seed(_given(args, kwargs, 1, "seed"))
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

    _replace(module.SeedGenerator, "__init__", ledger, enter_made)
    _replace(module.SeedGenerator, "next", ledger, enter_next)


def _watch_keras_functions(ledger: Ledger, module: ModuleType) -> None:
    for name in _KERAS:
        if hasattr(module, name):
            entered = _enter_keras(ledger, f"keras.random.{name}")
            _replace(module, name, ledger, entered, whole=True)


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
        value = describe_seed(_given(args, kwargs, 0, "seed"))
        ledger.seed(frame, "keras", "keras.utils.set_random_seed", value)

    _replace(module, "set_random_seed", ledger, enter, whole=True)
