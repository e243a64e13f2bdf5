"""Look at what a caller gives before working on it."""

from __future__ import annotations

import operator
from typing import Any

from fpdrift.errors import FpdriftError, shown


def whole(name: str, value: Any, least: int, most: int) -> int:
    """Give a whole number within its range, or say what the range is."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or not least <= number <= most:
        message = f"{name} is {shown(value)}; choose a whole number from {least} to {most}"
        raise FpdriftError(message)
    return number
