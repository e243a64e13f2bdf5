"""Checks of what a user gives, each with an error that names the value and the way out."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from fpdrift.errors import FpdriftError, shown


def whole(name: str, value: Any, least: int, most: int) -> int:
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
        message = f"{name} is {shown(value)}; choose a whole number from {least} to {most}"
        raise FpdriftError(message)
    return number


def check_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    """Refuse a value that is none of the choices.

    Raises
    ------
    FpdriftError
    """
    if not isinstance(value, str) or value not in choices:
        message = f"unknown {name} {shown(value)}; choose one of {', '.join(choices)}"
        raise FpdriftError(message)


def check_switch(name: str, value: Any, *, optional: bool = False) -> None:
    """Refuse a value that is neither True nor False (nor, where optional, None).

    Raises
    ------
    FpdriftError
    """
    if not (isinstance(value, bool) or (optional and value is None)):
        choices = "True, False or None" if optional else "True or False"
        message = f"{name} is {shown(value)}; choose {choices}"
        raise FpdriftError(message)


def check_callable(name: str, value: Any) -> None:
    """Refuse a value that is neither a function nor None.

    Raises
    ------
    FpdriftError
    """
    if value is not None and not callable(value):
        message = f"{name} is {shown(value)}; give a function, or None"
        raise FpdriftError(message)
