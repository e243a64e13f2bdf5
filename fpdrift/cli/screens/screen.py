"""Which function tells which kind of result, and how numbers are written."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from fpdrift._kinds import screens
from fpdrift.provenance import describe_machine

if TYPE_CHECKING:
    from fpdrift.serialization import Result

#: Columns of a screen.
WIDTH = 80


#: The lines that tell a result; a function of the result is entered with `screen.register`.
screen = screens


@screen.register
def _any(result: Result) -> list[str]:
    """Kinds without lines of their own show their repr."""
    return [f"  {result!r}"]


def count(number: int, noun: str) -> str:
    """Write a number with its noun, as in 1 ulp, 2 ulps."""
    plural = {"batch": "batches", "try": "tries", "stretch": "stretches"}.get(noun, f"{noun}s")
    return f"{number:,} {noun if number == 1 else plural}"


def measured_on(result: Result) -> list[str]:
    """Say on which machine, with which versions and which code of ours a result was made."""
    return wrapped(describe_machine(result.provenance))


def wrapped(text: str, indent: int = 2, *, mark: str = "") -> list[str]:
    """Break a text into indented lines that fit; a mark stands out to their left."""
    first = " " * indent + mark
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=" " * len(first))
