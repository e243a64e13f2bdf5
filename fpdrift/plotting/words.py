"""Words that several pictures use."""

from __future__ import annotations


def many(count: int, noun: str) -> str:
    """Write a number with its noun, as in 1 ulp, 2 ulps."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def sized(size: str, steps: int) -> str:
    """Say how large a study was; a quick one is not the source's."""
    named = "the source's size" if size == "full" else "quick"
    return f"{named}: {many(steps, 'step')} a run"


def capital(text: str) -> str:
    """Start a title with a capital, but leave a function's name such as index_add as it is."""
    return text if "_" in text.split(maxsplit=1)[0] else text[0].upper() + text[1:]
