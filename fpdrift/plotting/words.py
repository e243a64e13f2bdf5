"""Numbers with their nouns, for titles."""

from __future__ import annotations


def many(count: int, noun: str) -> str:
    """Write a number with its noun, as in 1 ulp, 2 ulps."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
