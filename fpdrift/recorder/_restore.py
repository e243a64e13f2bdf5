"""Restore all state that a prediction changes, so that training continues as if it had not run.

A model's own variables are the smallest part. Recurrent layers keep states outside them; layers
count in attributes, lists, closures and globals; and predictions draw from random generators:
Python's, NumPy's, Keras', PyTorch's, or a user's own, wherever they are stored.
"""

from __future__ import annotations

import gc
import random
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from typing import Any

import keras
import numpy as np

from fpdrift.backends import tensorflow, torch
from fpdrift.recorder._state import sublayers

#: Depth to which attributes of attributes are followed.
_DEEPEST = 8
#: Libraries whose objects hold no changeable state except variables and generators, which are
#: restored separately.
_LIBRARIES = ("keras", "tensorflow", "torch", "jax", "jaxlib", "numpy")


class Attributes:
    """A snapshot of the Python state of layers.

    Parameters
    ----------
    layers : iterable of keras.layers.Layer
    """

    def __init__(self, layers: Iterable[Any]) -> None:
        self._undo: list[Callable[[], None]] = []
        self._seen: set[int] = set()
        #: names of attributes that a prediction may advance and that cannot be restored
        self.iterators: list[str] = []
        for layer in layers:
            self._object(layer, layer.name, 0)

    def restore(self) -> None:
        """Restore the snapshot."""
        for undo in self._undo:
            undo()

    def _object(self, item: Any, where: str, depth: int) -> None:
        self._seen.add(id(item))
        self._names(vars(item), where, depth)
        if not _of_library(type(item)):
            self._class(type(item), where, depth)

    def _class(self, kind: type, where: str, depth: int) -> None:
        """Follow a user's class: its values, and what its functions refer to."""
        for base in kind.__mro__:
            if _of_library(base) or base is object or id(base) in self._seen:
                continue
            self._seen.add(id(base))
            old = {k: v for k, v in vars(base).items() if not k.startswith("__")}
            for name, value in old.items():
                self._follow(value, f"{where}.{name}", depth + 1)
            self._undo.append(partial(_set_class, base, old))

    def _names(self, names: dict[Any, Any], where: str, depth: int) -> None:
        old = dict(names)
        for name, value in old.items():
            self._follow(value, f"{where}.{name}", depth + 1)
        self._undo.append(lambda: _set_names(names, old))

    def _follow(self, value: Any, where: str, depth: int) -> None:
        if id(value) in self._seen or depth > _DEEPEST:
            return
        if isinstance(value, dict):
            self._seen.add(id(value))
            self._names(value, where, depth)
        elif isinstance(value, list | tuple | set | deque | bytearray):
            self._seen.add(id(value))
            self._items(value, where, depth)
        elif isinstance(value, np.ndarray):
            self._seen.add(id(value))
            copy = value.copy()
            self._undo.append(lambda: _set_array(value, copy))
        elif isinstance(value, types.FunctionType | types.MethodType):
            self._function(getattr(value, "__func__", value), where, depth)
        elif keras.backend.backend() == "torch" and _is_buffer(value):
            self._undo.append(torch.hold_tensor(value))
        elif not _of_library(type(value)) and not isinstance(value, type | types.ModuleType):
            if isinstance(value, Iterator):
                self.iterators.append(where)
            elif hasattr(value, "__dict__"):
                self._object(value, where, depth)

    def _items(self, items: Any, where: str, depth: int) -> None:
        old = items.copy() if hasattr(items, "copy") else items
        for number, value in enumerate(old):
            self._follow(value, f"{where}[{number}]", depth + 1)
        if not isinstance(items, tuple):
            self._undo.append(lambda: _set_items(items, old))

    def _function(self, function: Any, where: str, depth: int) -> None:
        """Follow what a user's function closes over, and the global names that it uses."""
        if id(function) in self._seen or _is_library(function.__module__):
            return
        self._seen.add(id(function))
        for cell in function.__closure__ or ():
            try:
                old = cell.cell_contents
            except ValueError:  # not bound yet
                continue
            self._follow(old, where, depth + 1)
            self._undo.append(partial(setattr, cell, "cell_contents", old))
        known = function.__globals__
        used = {name: known[name] for name in function.__code__.co_names if name in known}
        for name, value in used.items():
            self._follow(value, name, depth + 1)
        self._undo.append(lambda: known.update(used))


def _of_library(kind: type) -> bool:
    return _is_library(kind.__module__)


def _is_library(module: str | None) -> bool:
    return (module or "").partition(".")[0] in _LIBRARIES


def _is_buffer(value: Any) -> bool:
    """Return whether a value is a PyTorch tensor that is not a parameter (these are variables)."""
    kind = type(value)
    return kind.__name__ == "Tensor" and kind.__module__ == "torch"


def _set_class(kind: type, old: dict[str, Any]) -> None:
    for name, value in old.items():
        if vars(kind).get(name) is not value:
            setattr(kind, name, value)


def _set_names(names: dict[Any, Any], old: dict[Any, Any]) -> None:
    """Restore a namespace, bypassing any tracking of assignments."""
    for name in names.keys() - old.keys():
        dict.pop(names, name)
    for name, value in old.items():
        if name not in names or names[name] is not value:
            dict.__setitem__(names, name, value)


def _set_items(items: Any, old: Any) -> None:
    """Restore a list, set or deque in place, bypassing any tracking of its changes."""
    if len(items) == len(old) and all(a is b for a, b in zip(items, old, strict=True)):
        return
    kind: Any = next(k for k in (list, set, deque, bytearray) if isinstance(items, k))
    kind.clear(items)
    (set.update if kind is set else kind.extend)(items, old)


def _set_array(array: Any, old: Any) -> None:
    if array.flags.writeable:
        array[...] = old


_Undo = Callable[[], None]
_GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)


class StateRestorer:
    """Restores everything in this process that a prediction of a model might change.

    Parameters
    ----------
    model : keras.Model
        A built model.
    optimizers : iterable of keras.optimizers.Optimizer
        Their variables are skipped: a prediction does not update weights.
    """

    def __init__(self, model: Any, optimizers: Iterable[Any]) -> None:
        self._model = model
        self._own = {id(variable) for variable in model.variables}
        self._slots = {id(variable) for optimizer in optimizers for variable in optimizer.variables}

    @contextmanager
    def everything(self) -> Iterator[None]:
        """Restore everything at the end of the block, also after an error."""
        # searched each time: layers and Keras itself make generators when they first draw
        own = _own_variables()
        found = _living((keras.Variable, *_GENERATORS, *own))
        undo = _hold_keras()
        undo += [_hold_generator(item) for item in found if isinstance(item, _GENERATORS)]
        undo += [_hold_random_module(), _hold_numpy()]
        undo += self._hold_variables([v for v in found if isinstance(v, (keras.Variable, *own))])
        if keras.backend.backend() == "torch":
            undo.append(torch.hold_generators())
        attributes = Attributes(sublayers(self._model))
        try:
            yield
        finally:
            attributes.restore()
            for restore in undo:
                restore()

    def _hold_variables(self, variables: list[Any]) -> list[_Undo]:
        # the parts of Keras variables are held with them
        left_out = {id(getattr(v, "_value", None)) for v in variables if _is_keras(v)} | self._slots
        undo = []
        for variable in (v for v in variables if id(v) not in left_out):
            try:
                undo.append(_hold_variable(variable))
            except Exception:  # of another graph, or donated: then nothing can change it
                if id(variable) in self._own:
                    raise
        return undo


def _is_keras(variable: Any) -> bool:
    return isinstance(variable, keras.Variable)


def _living(kinds: tuple[type, ...]) -> list[Any]:
    """Return every object of some classes, including those held by closures and modules."""
    wanted: dict[type, bool] = {random.SystemRandom: False}  # it has no state
    found = []
    for item in gc.get_objects():
        kind = type(item)
        if kind not in wanted:
            wanted[kind] = issubclass(kind, kinds)
        if wanted[kind]:
            found.append(item)
    return found


def _own_variables() -> tuple[type, ...]:
    return (tensorflow.variable_class(),) if keras.backend.backend() == "tensorflow" else ()


def _hold_variable(variable: Any) -> _Undo:
    """Hold a variable's value (an array that is never modified, or a copy) to restore it."""
    old = _value(variable)

    def restore() -> None:
        new = _value(variable)
        if new is not old and new.tobytes() != old.tobytes():
            variable.assign(old)

    return restore


def _value(variable: Any) -> Any:
    held = variable.value
    held = held() if callable(held) else held
    if keras.backend.backend() == "tensorflow":
        return held.numpy()
    return np.array(keras.ops.convert_to_numpy(held))


def _hold_generator(generator: Any) -> _Undo:
    if isinstance(generator, random.Random):
        state = generator.getstate()
        return lambda: generator.setstate(state)
    if isinstance(generator, np.random.RandomState):
        legacy = generator.get_state(legacy=False)
        return lambda: generator.set_state(legacy)
    state = deepcopy(generator.bit_generator.state)

    def restore() -> None:
        generator.bit_generator.state = state

    return restore


def _hold_random_module() -> _Undo:
    state = random.getstate()
    return lambda: random.setstate(state)


def _hold_numpy() -> _Undo:
    state = np.random.get_state(legacy=False)  # noqa: NPY002 - the global one is held
    return lambda: np.random.set_state(state)  # noqa: NPY002


def _hold_keras() -> list[_Undo]:
    """Hold Keras' global generator, which is made on its first draw.

    Its values are a variable like any other; no public function reports whether it exists.
    """
    try:
        from keras.src.backend.common import global_state
        from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR as NAME
    except ImportError:
        return []
    old = global_state.get_global_attribute(NAME)
    return [lambda: global_state.set_global_attribute(NAME, old)]
