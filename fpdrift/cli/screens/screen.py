"""Which function lays out which kind of result, and how it comes onto a screen."""

from __future__ import annotations

import io
import sys
import textwrap
from typing import TYPE_CHECKING, TextIO

from fpdrift._kinds import screens
from fpdrift.cli.screens.blocks import detail, paragraph
from fpdrift.provenance import describe_machine

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console, RenderableType

    from fpdrift.serialization import Result

#: Columns of a screen that is not a terminal, such as a pipe.
WIDTH = 80
#: The most columns of a terminal that are used: longer lines are hard to read.
WIDEST = 100


#: The blocks of a result's screen; a function of the result is entered with `layout.register`.
layout = screens


@layout.register
def _any(result: Result) -> Iterable[RenderableType]:
    """Lay out kinds that have no layout of their own as their repr."""
    return [paragraph(repr(result))]


def screen(result: Result, width: int = WIDTH) -> list[str]:
    """Return the lines of a result's screen as plain text, the same on every machine."""
    text = io.StringIO()
    console = _console(text, width)
    for block in layout(result):
        console.print(block)
    return [line.rstrip() for line in text.getvalue().splitlines()]


def show(result: Result) -> None:
    """Print a result on standard output: with emphasis on a terminal, else as plain text."""
    console = _console(sys.stdout)
    if not console.is_terminal:
        print("\n".join(screen(result)), flush=True)
        return
    console.width = min(console.width, WIDEST)
    for block in layout(result):
        console.print(block)


def _console(file: TextIO, width: int | None = None) -> Console:
    from rich.console import Console

    # A result may hold anything, so nothing in a text is taken for markup.
    return Console(
        file=file,
        width=width,
        color_system="auto" if width is None else None,
        force_jupyter=False,
        force_terminal=None if width is None else False,
        markup=False,
        emoji=False,
        highlight=False,
    )


def measured_on(result: Result) -> RenderableType:
    """Describe the machine, the versions and the code of fpdrift with which a result was made."""
    return detail(describe_machine(result.provenance))


def wrapped(text: str, indent: int = 2, *, mark: str = "") -> list[str]:
    """Break a text into indented lines of plain text; a mark stands out to their left."""
    first = " " * indent + mark
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=" " * len(first))
