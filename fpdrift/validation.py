"""Check arguments; each error names the offending value and the values that are accepted.

The checks that return a value return it as Python's own type.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Any

from fpdrift.errors import FpdriftError, did_you_mean, short_repr


def check_int(name: str, value: Any, least: int, most: int) -> int:
    """Return an integer within a range, as Python's int.

    Raises
    ------
    FpdriftError
        If it is not an integer, or outside the range.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or not least <= number <= most:
        message = f"{name} is {short_repr(value)}; choose a whole number from {least} to {most}"
        raise FpdriftError(message)
    return number


def check_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    """Raise FpdriftError unless a value is one of the choices.

    Raises
    ------
    FpdriftError
    """
    if not isinstance(value, str) or value not in choices:
        known = [*choices]
        message = f"unknown {name} {short_repr(value)}; choose one of {', '.join(known)}"
        raise FpdriftError(message + did_you_mean(value, known))


def check_switch(name: str, value: Any, *, optional: bool = False) -> None:
    """Raise FpdriftError unless a value is True or False (or, if optional, None).

    Raises
    ------
    FpdriftError
    """
    if not (isinstance(value, bool) or (optional and value is None)):
        choices = "True, False or None" if optional else "True or False"
        message = f"{name} is {short_repr(value)}; choose {choices}"
        raise FpdriftError(message)


def check_callable(name: str, value: Any) -> None:
    """Raise FpdriftError unless a value is a function or None.

    Raises
    ------
    FpdriftError
    """
    if value is not None and not callable(value):
        message = f"{name} is {short_repr(value)}; pass a function or None"
        raise FpdriftError(message)


def real(name: str, value: Any, most: float) -> float:
    """Return a number from 0 to `most`, as Python's float."""
    try:
        number = math.nan if isinstance(value, str | bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0 <= number <= most:
        message = f"{name} is {short_repr(value)}; choose a number from 0 to {most:g}"
        raise FpdriftError(message)
    return number


def place(name: str, value: Any) -> int | tuple[int, ...]:
    """Return an index: an integer, or one for each axis (JSON turns a tuple into a list)."""
    if isinstance(value, tuple | list):
        return tuple(check_int(name, i, 0, 2**63 - 1) for i in value)
    return check_int(name, value, 0, 2**63 - 1)


def text(name: str, value: Any) -> str:
    """Return a string."""
    if not isinstance(value, str):
        message = f"{name} is {short_repr(value)}; pass a string"
        raise FpdriftError(message)
    return value
