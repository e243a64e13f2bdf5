"""The state of a training that a resumed run needs: read it, compare it, set it.

A state is a dictionary from a kind, such as "optimizer slots", to its parts by name. A part is an
array, or a Python value that can be pickled.
"""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fpdrift.doctor._draw_digests import digest_of, digest_of_state

State = dict[str, dict[str, Any]]
Digests = dict[str, dict[str, str]]

#: What Keras sets on every callback.
_SET_BY_KERAS = ("params", "_model", "model")


def read_state(model: Any, callbacks: Sequence[Any]) -> State:
    """Return all state of a training that can be seen from outside.

    Parameters
    ----------
    model : keras.Model
        A compiled model.
    callbacks : sequence of Callback
        Those that the script gave to `fit`.
    """
    state: State = defaultdict(dict)
    for kind, name, variable in _variables(model):
        state[kind][name] = _array(variable)
    for kind, name, holder in _generators():
        state[kind][name] = holder.get()
    for name, callback, attribute in _attributes(callbacks):
        state["callback state"][name] = vars(callback)[attribute]
    return dict(state)


def digests(state: State) -> Digests:
    """Return the digests of all parts of a state; leave out parts that are not data."""
    return {
        kind: {name: hashed.hex() for name, part in parts.items() if (hashed := _digest(part))}
        for kind, parts in state.items()
    }


def restore(model: Any, callbacks: Sequence[Any], state: State) -> None:
    """Set parts of a state to the values of an earlier one; parts that no longer exist are left."""
    for kind, name, variable in _variables(model):
        if name in state.get(kind, {}):
            variable.assign(state[kind][name])
    for kind, name, holder in _generators():
        if name in state.get(kind, {}):
            holder.set(state[kind][name])
    for name, callback, attribute in _attributes(callbacks):
        if name in state.get("callback state", {}):
            setattr(callback, attribute, state["callback state"][name])


def _array(variable: Any) -> Any:
    import keras

    return keras.ops.convert_to_numpy(variable).copy()


def _digest(part: Any) -> bytes | None:
    if isinstance(part, dict | tuple):
        return digest_of_state(part)
    return digest_of(part)


# -- variables


def _variables(model: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield kind, name and variable of all that a training step may change."""
    for number, variable in enumerate(model.variables):
        seeds = variable.path.endswith("seed_generator_state")
        yield "seed generators" if seeds else "weights", f"{number} {variable.path}", variable
    optimizer = model.optimizer
    if optimizer is None:
        return
    averaged = bool(optimizer.use_ema)
    for number, variable in enumerate(optimizer.variables):
        yield _kind_of(variable.path, averaged=averaged), f"{number} {variable.path}", variable


def _kind_of(path: str, *, averaged: bool) -> str:
    """Return the kind of one of an optimizer's variables."""
    name = path.rpartition("/")[2]
    if name in ("step_counter", "dynamic_scale"):
        return "loss scale"
    if name == "iteration":
        return "iterations"
    if name == "learning_rate":
        return "learning rate"
    return "averaged weights" if averaged and name.endswith("_average") else "optimizer slots"


# -- generators


class _Holder:
    """A generator's state behind one pair of functions."""

    def __init__(self, read: Any, write: Any) -> None:
        self.get, self.set = read, write


def _generators() -> Iterator[tuple[str, str, _Holder]]:
    """Yield the generators of this process, without importing a library that has them."""
    yield "Python's generator", "random", _Holder(random.getstate, random.setstate)
    if (numpy := sys.modules.get("numpy")) is not None:
        functions = numpy.random.get_state, numpy.random.set_state
        yield "NumPy's generators", "numpy.random", _Holder(*functions)
        for number, own in sorted(_own_generators(numpy), key=lambda pair: pair[0]):
            yield "NumPy's generators", f"own generator {number}", _of_bits(own)
    yield from _tensorflow_s()
    yield from _keras_s()


def _own_generators(numpy: Any) -> Iterator[tuple[int, Any]]:
    """Yield the script's own generators with the numbers that the ledger gave them."""
    import gc

    from fpdrift.doctor._draw_numpy import NUMBER

    kinds = numpy.random.Generator, numpy.random.RandomState
    known: dict[type, bool] = {}  # there are a million objects, and some thousand types
    for thing in gc.get_objects():
        kind = type(thing)  # `isinstance` would also ask proxies for their class
        if kind not in known:
            known[kind] = issubclass(kind, kinds)
        if known[kind] and (number := getattr(thing, NUMBER, 0)):
            yield number, thing


def _of_bits(own: Any) -> _Holder:
    bits = own._bit_generator  # noqa: SLF001 - RandomState has no other
    return _Holder(lambda: bits.state, lambda state: setattr(bits, "state", state))


def _tensorflow_s() -> Iterator[tuple[str, str, _Holder]]:
    """Yield the generator from which eager operations without a seed take one."""
    module = sys.modules.get("tensorflow.python.eager.context")
    if module is None:
        return
    context: Any = module.context()
    if getattr(context, "_rng", None) is not None:
        rng = context._rng  # noqa: SLF001 - TensorFlow has no public way to it
        yield "TensorFlow's generator", "operation seeds", _Holder(rng.getstate, rng.setstate)


def _keras_s() -> Iterator[tuple[str, str, _Holder]]:
    """Yield the generator of Keras' random functions without a seed, if anything has drawn."""
    module: Any = sys.modules.get("keras.src.backend.common.global_state")
    found = module and module.get_global_attribute("global_seed_generator")
    if found:
        variable = found.state
        yield "seed generators", "keras.random", _Holder(lambda: _array(variable), variable.assign)


# -- callbacks


def _attributes(callbacks: Iterable[Any]) -> Iterator[tuple[str, Any, str]]:
    """Yield name, callback and attribute of all data that callbacks hold."""
    for number, callback in enumerate(callbacks):
        ours = type(callback).__module__.startswith("keras.")
        for attribute, value in list(vars(callback).items()):
            internal = ours and attribute.startswith("_")
            if attribute in _SET_BY_KERAS or internal or not _is_data(value):
                continue
            yield f"{number} {type(callback).__name__}.{attribute}", callback, attribute


def _is_data(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_data, value))
    if isinstance(value, dict):
        return all(map(_is_data, value.values()))
    kinds = (bool, int, float, complex, str, bytes, type(None))
    if isinstance(value, kinds):
        return True
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray | numpy.generic)
