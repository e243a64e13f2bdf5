"""Checks of what a user gives, each with an error that names the value and the way out.

What a description may hold; each check gives the value as Python's own type.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Any

from fpdrift.errors import FpdriftError, did_you_mean, short_repr


def check_int(name: str, value: Any, least: int, most: int) -> int:
    """Read a whole number within its range, as Python's own int.

    Raises
    ------
    FpdriftError
        If it is none, or outside.
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
    """Refuse a value that is none of the choices.

    Raises
    ------
    FpdriftError
    """
    if not isinstance(value, str) or value not in choices:
        known = [*choices]
        message = f"unknown {name} {short_repr(value)}; choose one of {', '.join(known)}"
        raise FpdriftError(message + did_you_mean(value, known))


def check_switch(name: str, value: Any, *, optional: bool = False) -> None:
    """Refuse a value that is neither True nor False (nor, where optional, None).

    Raises
    ------
    FpdriftError
    """
    if not (isinstance(value, bool) or (optional and value is None)):
        choices = "True, False or None" if optional else "True or False"
        message = f"{name} is {short_repr(value)}; choose {choices}"
        raise FpdriftError(message)


def check_callable(name: str, value: Any) -> None:
    """Refuse a value that is neither a function nor None.

    Raises
    ------
    FpdriftError
    """
    if value is not None and not callable(value):
        message = f"{name} is {short_repr(value)}; give a function, or None"
        raise FpdriftError(message)


def real(name: str, value: Any, most: float) -> float:
    """Check a number from 0 to `most`."""
    try:
        number = math.nan if isinstance(value, str | bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0 <= number <= most:
        message = f"{name} is {short_repr(value)}; choose a number from 0 to {most:g}"
        raise FpdriftError(message)
    return number


def place(name: str, value: Any) -> int | tuple[int, ...]:
    """Check an index: one whole number, or one for each axis (JSON makes a tuple a list)."""
    if isinstance(value, tuple | list):
        return tuple(check_int(name, i, 0, 2**63 - 1) for i in value)
    return check_int(name, value, 0, 2**63 - 1)


def text(name: str, value: Any) -> str:
    """Check a text."""
    if not isinstance(value, str):
        message = f"{name} is {short_repr(value)}; give a text"
        raise FpdriftError(message)
    return value
