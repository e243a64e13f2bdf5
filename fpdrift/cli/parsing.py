"""Read what an argument says; argparse names the option in front of each complaint."""

from __future__ import annotations

import argparse
from pathlib import Path

#: Of a whole number; what is longer, Python takes for a number or not by its own limit.
_MOST_DIGITS = 40


def whole(text: str) -> int:
    """Read a whole number."""
    if len(text) > _MOST_DIGITS:
        message = f"{text[:_MOST_DIGITS]!r}... has {len(text):,} characters, too many"
        raise argparse.ArgumentTypeError(message)
    try:
        return int(text)
    except ValueError:
        message = f"{text[:40]!r} is no whole number"
        raise argparse.ArgumentTypeError(message) from None


def wholes(text: str) -> tuple[int, ...]:
    """Read whole numbers with commas between them, such as ``1,2,8``."""
    return tuple(whole(part) for part in text.split(","))


def numbers(text: str) -> tuple[float, ...]:
    """Read numbers with commas between them, such as ``1e2,1e6``."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        message = f"{text[:40]!r} is not numbers with commas between, such as 1e2,1e6"
        raise argparse.ArgumentTypeError(message) from None


def words(text: str) -> tuple[str, ...]:
    """Read names with commas between them."""
    return tuple(part.strip() for part in text.split(","))


def folder(text: str) -> Path:
    """Read the name of a folder."""
    if not text:
        message = "name a folder, not nothing"
        raise argparse.ArgumentTypeError(message)
    return Path(text)
