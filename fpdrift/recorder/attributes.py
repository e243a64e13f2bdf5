"""What layers keep in Python: attributes, lists, closures, globals; and how it is put back."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import keras
import numpy as np

from fpdrift.frameworks import torch

#: Attributes of attributes are followed this deep.
_DEEPEST = 8
#: Libraries whose objects hold nothing that a prediction moves but what is held elsewhere:
#: variables and generators.
_LIBRARIES = ("keras", "tensorflow", "torch", "jax", "jaxlib", "numpy")


class Attributes:
    """The Python side of layers as it is now.

    Parameters
    ----------
    layers : iterable of keras.layers.Layer
    """

    def __init__(self, layers: Iterable[Any]) -> None:
        self._undo: list[Callable[[], None]] = []
        self._seen: set[int] = set()
        #: names of attributes that a prediction may move and nobody can put back
        self.iterators: list[str] = []
        for layer in layers:
            self._object(layer, layer.name, 0)

    def put_back(self) -> None:
        """Set everything back to what it was."""
        for undo in self._undo:
            undo()

    def _object(self, item: Any, where: str, depth: int) -> None:
        self._seen.add(id(item))
        self._names(vars(item), where, depth)
        if not _of_library(type(item)):
            self._class(type(item), where, depth)

    def _class(self, kind: type, where: str, depth: int) -> None:
        """Follow a class of somebody's own: its values, and what its functions hold."""
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
        """Follow what a function of somebody's own closes over, and its module's names in it."""
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
    """Tell whether a value is a tensor of PyTorch's that is no parameter: those are variables."""
    kind = type(value)
    return kind.__name__ == "Tensor" and kind.__module__ == "torch"


def _set_class(kind: type, old: dict[str, Any]) -> None:
    for name, value in old.items():
        if vars(kind).get(name) is not value:
            setattr(kind, name, value)


def _set_names(names: dict[Any, Any], old: dict[Any, Any]) -> None:
    """Set a namespace back, past any tracking of assignments."""
    for name in names.keys() - old.keys():
        dict.pop(names, name)
    for name, value in old.items():
        if name not in names or names[name] is not value:
            dict.__setitem__(names, name, value)


def _set_items(items: Any, old: Any) -> None:
    """Set a list, set or deque back in place, past any tracking of its changes."""
    if len(items) == len(old) and all(a is b for a, b in zip(items, old, strict=True)):
        return
    kind: Any = next(k for k in (list, set, deque, bytearray) if isinstance(items, k))
    kind.clear(items)
    (set.update if kind is set else kind.extend)(items, old)


def _set_array(array: Any, old: Any) -> None:
    if array.flags.writeable:
        array[...] = old
