"""What a screen is made of: a headline, paragraphs, tables, lists and drawings in characters.

Each is a renderable of rich, which breaks lines and lines up columns. Where a table is wider than
the screen, its heads break first, then its texts; at last each row becomes a list of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fpdrift.text import first_sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.measure import Measurement

#: What a screen is laid out as: renderables of rich, which is imported only where one is made.
Blocks = Iterator[Any]

#: Columns to the left of everything.
MARGIN = 2
#: Columns of a term in a list of terms, and the fewest for what is said of it beside it.
_TERM, _FEWEST = 17, 36
#: A word of a table's text that is longer may be broken.
_LONG_WORD = 24
#: Wider than any screen: the room in which a layout is measured.
_ENDLESS = 10_000


def headline(text: str) -> RenderableType:
    """Return the first paragraph of a screen; its first sentence says the answer."""
    from rich.padding import Padding
    from rich.text import Text

    answer, more = first_sentence(text)
    return Padding(Text.assemble((answer, "bold"), f" {more}" if more else ""), (0, 0, 0, MARGIN))


def heading(text: str) -> RenderableType:
    """Return the title of a table or of one part of a screen."""
    return paragraph(text, style="bold")


def detail(text: str, indent: int = MARGIN) -> RenderableType:
    """Return a paragraph on how something was measured, or how to read it."""
    return paragraph(text, indent, style="dim")


def paragraph(text: str, indent: int = MARGIN, *, style: str = "") -> RenderableType:
    """Return a text whose lines are broken between words."""
    from rich.padding import Padding
    from rich.text import Text

    return Padding(Text(text, style=style), (0, 0, 0, indent))


def marked(mark: str, text: str, indent: int = MARGIN) -> RenderableType:
    """Return a paragraph with a mark to its left, such as the letter of a class."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row(Text(mark, style="bold"), Text(text))
    return Padding(grid, (0, 0, 0, indent))


def skipped(why: dict[str, str], lead: str = "Skipped") -> Blocks:
    """Return a line for each reason with what it kept from running."""
    names: dict[str, list[str]] = {}
    for name, reason in why.items():
        names.setdefault(reason, []).append(name)
    for reason, of_it in names.items():
        yield paragraph(f"{lead}: {'; '.join(of_it)} ({reason.rstrip('.')}).")


class Fit:
    """The first of several layouts for which a screen is wide enough, or else the last.

    Parameters
    ----------
    *layouts : renderables
        The widest first.
    """

    def __init__(self, *layouts: RenderableType) -> None:
        self.layouts = layouts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Blocks:
        from rich.measure import Measurement

        room = options.update(width=_ENDLESS)
        needs = (Measurement.get(console, room, layout).minimum for layout in self.layouts[:-1])
        fitting = (i for i, columns in enumerate(needs) if columns <= options.max_width)
        yield self.layouts[next(fitting, -1)]


class Verbatim:
    """Lines of characters whose places matter, such as a tree."""

    def __init__(self, lines: Sequence[str], indent: int = MARGIN) -> None:
        self.lines = [f"{' ' * indent}{line}" for line in lines]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Blocks:
        from rich.text import Text

        yield Text("\n".join(self.lines), no_wrap=True, overflow="crop")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        from rich.measure import Measurement

        width = max(map(len, self.lines), default=0)
        return Measurement(width, width)


class _Sized:
    """A layout that needs a known number of columns."""

    def __init__(self, layout: RenderableType, needs: int) -> None:
        self.layout, self.needs = layout, needs

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Blocks:
        yield self.layout

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        from rich.measure import Measurement

        return Measurement(self.needs, self.needs)


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], indent: int = MARGIN
) -> RenderableType:
    """Return a table; a head that begins with ``>`` stands over numbers.

    Numbers are right-aligned and never broken. On a screen too narrow for them each row is a list,
    headed by its first cell.
    """
    from rich.console import Group

    cells = [list(row) for row in rows]
    return Fit(
        columns(heads, cells, indent),
        columns(heads, cells, indent, wrap=True),
        Group(*_stacked(heads, cells, indent)),
    )


def columns(
    heads: Sequence[str], rows: Sequence[Sequence[str]], indent: int = MARGIN, *, wrap: bool = False
) -> RenderableType:
    """Return a table that keeps its form.

    Every column is as wide as its longest cell. With `wrap`, heads break between words, and so do
    the cells of the widest column of texts.
    """
    from rich.cells import cell_len
    from rich.padding import Padding
    from rich.table import Table

    made = Table(box=None, pad_edge=False, padding=(0, 0, 0, 2), header_style="underline")
    widths = []
    for place, head in enumerate(heads):
        parts = head.removeprefix(">").split(None if wrap else "\n")
        widths.append(max(cell_len(text) for text in (*parts, *(row[place] for row in rows))))
    texts = [width if head[0] != ">" else 0 for head, width in zip(heads, widths, strict=True)]
    breaking = texts.index(max(texts)) if wrap and any(texts) else None
    for place, (head, width) in enumerate(zip(heads, widths, strict=True)):
        made.add_column(
            head.removeprefix(">"),
            justify="right" if head[0] == ">" else "left",
            width=None if place == breaking else width,
            overflow="fold",
        )
    for row in rows:
        made.add_row(*row)
    if breaking is not None:
        words = " ".join((heads[breaking], *(row[breaking] for row in rows))).split()
        widths[breaking] = min(_LONG_WORD, max(map(cell_len, words)))
    needs = indent + sum(widths) + 2 * (len(widths) - 1)
    return _Sized(Padding(made, (0, 0, 0, indent), expand=False), needs)


def _stacked(heads: Sequence[str], rows: Sequence[Sequence[str]], indent: int) -> Blocks:
    """Return each row as a list of its cells with their heads."""
    from rich.padding import Padding
    from rich.table import Table

    names = [" ".join(head.removeprefix(">").split()) for head in heads]
    for row in rows:
        yield paragraph(f"{names[0]}: {row[0]}", indent)
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column()
        grid.add_column(overflow="fold")
        for name, cell in zip(names[1:], row[1:], strict=True):
            if cell:
                grid.add_row(name, cell)
        yield Padding(grid, (0, 0, 0, indent + 2))


def terms(pairs: Sequence[tuple[str, str]], indent: int = 2 * MARGIN) -> RenderableType:
    """Return what there is to say of each of several terms; an empty term continues the last."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid()
    grid.add_column(width=_TERM, overflow="fold")
    grid.add_column(min_width=_FEWEST)
    below: list[RenderableType] = []
    for term, text in pairs:
        grid.add_row(Text(term, style="bold"), Text(text))
        below += [paragraph(term, indent, style="bold")] if term else []
        below.append(paragraph(text, indent + 2))
    return Fit(Padding(grid, (0, 0, 0, indent)), Group(*below))
