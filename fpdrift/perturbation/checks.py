"""What a description may hold; each check gives the value as Python's own type."""

from __future__ import annotations

import math
from typing import Any

from fpdrift.checks import whole
from fpdrift.errors import FpdriftError, shown


def real(name: str, value: Any, most: float) -> float:
    """Check a number from 0 to `most`."""
    try:
        number = math.nan if isinstance(value, str | bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0 <= number <= most:
        message = f"{name} is {shown(value)}; choose a number from 0 to {most:g}"
        raise FpdriftError(message)
    return number


def place(name: str, value: Any) -> int | tuple[int, ...]:
    """Check an index: one whole number, or one for each axis (JSON makes a tuple a list)."""
    if isinstance(value, tuple | list):
        return tuple(whole(name, i, 0, 2**63 - 1) for i in value)
    return whole(name, value, 0, 2**63 - 1)


def text(name: str, value: Any) -> str:
    """Check a text."""
    if not isinstance(value, str):
        message = f"{name} is {shown(value)}; give a text"
        raise FpdriftError(message)
    return value
