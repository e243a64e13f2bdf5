"""Check field values against a dataclass's annotations, for untrusted data."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any, Literal, Union

import numpy as np
import numpy.typing as npt

Check = Callable[[Any], bool]

#: Types that an annotation accepts besides its own class: JSON may write a whole float without a
#: fraction, and a NumPy scalar is as good as a Python number.
_ALSO: dict[Any, tuple[type, ...]] = {
    int: (int, np.integer),
    float: (float, int, np.floating, np.integer),
    bool: (bool, np.bool),
}


def wrong_field(
    kind: type, values: Mapping[str, Any], known: Mapping[str, type]
) -> tuple[str, str] | None:
    """Find a field whose value is not of its annotated type.

    Lists, tuples and dicts are checked item by item; arrays by their dtype, the only thing that
    their annotation states. A missing field and one without an annotation are accepted.

    Parameters
    ----------
    kind : type
        A dataclass.
    values : mapping of str to object
        Arguments for its constructor.
    known : mapping of str to type
        Classes that annotations name but their module imports only under ``TYPE_CHECKING``.

    Returns
    -------
    tuple of str and str, or None
        Name and annotation of the first such field; None if all values fit.
    """
    hints = _hints(kind, known)
    for item in fields(kind):
        if item.name in values and not _checker(hints[item.name])(values[item.name]):
            return item.name, str(item.type)
    return None


_hints_of: dict[type, dict[str, Any]] = {}
_checkers: dict[Any, Check] = {}


def _hints(kind: type, known: Mapping[str, type]) -> dict[str, Any]:
    if kind not in _hints_of:
        names = {"npt": npt, **known}
        try:
            _hints_of[kind] = typing.get_type_hints(kind, localns=names)
        except NameError:  # a class defined in a local scope, whose names cannot be resolved here
            return dict.fromkeys((item.name for item in fields(kind)), Any)
    return _hints_of[kind]


def _checker(hint: Any) -> Check:
    """Return the function that checks whether a value has a type."""
    if hint not in _checkers:
        _checkers[hint] = _make_checker(hint)
    return _checkers[hint]


def _make_checker(hint: Any) -> Check:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return lambda _: True
    if origin in (Union, types.UnionType):
        return _any_of(tuple(map(_checker, inner)))
    if origin is Literal:
        return lambda value: any(type(value) is type(x) and value == x for x in inner)
    if origin is tuple:
        return _tuple_of(inner)
    if origin is dict:
        key, item = map(_checker, inner)
        return lambda value: (
            isinstance(value, dict) and all(map(key, value)) and all(map(item, value.values()))
        )
    if origin is np.ndarray:
        return _array_of(inner[1])
    return _instance_of(origin or hint)


def _instance_of(kind: Any) -> Check:
    if not isinstance(kind, type):  # None, and forms that only a type checker understands
        return lambda value: value is None if kind is None else True
    accepted = _ALSO.get(kind, (kind,))
    if kind in (int, float):
        return lambda value: isinstance(value, accepted) and not isinstance(value, bool)
    return lambda value: isinstance(value, accepted)


def _any_of(checks: Iterable[Check]) -> Check:
    return lambda value: any(check(value) for check in checks)


def _tuple_of(inner: tuple[Any, ...]) -> Check:
    if inner[1:] == (...,):
        each = _checker(inner[0])
        return lambda value: isinstance(value, tuple) and all(map(each, value))
    checks = tuple(map(_checker, inner))
    return lambda value: (
        isinstance(value, tuple)
        and len(value) == len(checks)
        and all(check(item) for check, item in zip(checks, value, strict=True))
    )


def _array_of(dtype: Any) -> Check:
    """Return a check of an array's dtype, the argument of ``numpy.dtype[...]``; Any accepts all."""
    wanted = (typing.get_args(dtype) or (Any,))[0]
    if wanted is Any or not isinstance(wanted, type):
        return lambda value: isinstance(value, np.ndarray)
    return lambda value: isinstance(value, np.ndarray) and issubclass(value.dtype.type, wanted)
