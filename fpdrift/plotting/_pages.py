"""Lay out slide pages: a title, a picture or text, and a footer, each fitted into its box."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import IO, TYPE_CHECKING, NamedTuple

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from fpdrift import atomic
from fpdrift.plotting._plot import METADATA, look, plot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from fpdrift.serialization import Result

#: Height of a row, relative to the font size.
LEADING = 1.2
#: Smallest font size on a slide, in points.
SMALLEST = 18
#: Allowance for programs that set text slightly wider.
_SLACK = 1.03


class Paragraph(NamedTuple):
    """A paragraph broken into rows."""

    rows: tuple[str, ...]
    #: points
    size: float = SMALLEST
    bold: bool = False


def fit(
    lines: Sequence[str], width: float, height: float, sizes: Iterable[float], *, head: bool = False
) -> tuple[Paragraph, ...]:
    """Break lines into rows, at the largest font size at which they fit into a box.

    Parameters
    ----------
    lines : sequence of str
        One paragraph each; leading spaces are kept.
    width, height : float
        Size of the box in inches.
    sizes : iterable of float
        Font sizes in points, largest first. Text that does not fit at the last size is cut.
    head : bool, optional
        Whether the first line is bold and the others are two thirds of its size.
    """
    for size in sizes:
        found = tuple(
            _paragraph(line, width, size if i == 0 or not head else _small(size), head and i == 0)
            for i, line in enumerate(lines)
        )
        if _height(found) <= height * _POINTS:
            return found
    return tuple(_cut(found, height * _POINTS))


def _small(size: float) -> float:
    return max(SMALLEST, round(size * 2 / 3))


def _height(paragraphs: Iterable[Paragraph]) -> float:
    return sum(len(it.rows) * it.size * LEADING for it in paragraphs)


def _paragraph(line: str, width: float, size: float, bold: bool) -> Paragraph:
    room = width * _POINTS / size / _SLACK
    rows = [line[: len(line) - len(line.lstrip())]]
    for i, word in enumerate(line.split()):
        longer = f"{rows[-1]} {word}" if i else rows[0] + word
        if i and _width(longer, bold) > room:
            rows.append(word)
        else:
            rows[-1] = longer
    return Paragraph(tuple(rows), size, bold)


@lru_cache(maxsize=4096)
def _width(text: str, bold: bool) -> float:
    """Return the width of a row, relative to the font size."""
    font = FontProperties(weight="bold" if bold else "normal", size=1)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])


def _cut(paragraphs: Iterable[Paragraph], height: float) -> Iterator[Paragraph]:
    """Yield the paragraphs that fit; the last row ends in an ellipsis."""
    kept: list[Paragraph] = []
    for it in paragraphs:
        room = int(height / (it.size * LEADING))
        height -= len(it.rows) * it.size * LEADING
        if room > 0:
            kept.append(it._replace(rows=it.rows[:room]))
    *whole, last = kept
    yield from whole
    yield last._replace(rows=(*last.rows[:-1], f"{last.rows[-1][:-1]}…"))


class Box(NamedTuple):
    """A box on a slide, in inches from its upper left corner."""

    left: float
    top: float
    width: float
    height: float


#: Size of a slide in inches, and its boxes from top to bottom.
SLIDE = (13.333, 7.5)
HEAD = Box(0.4, 0.2, 12.533, 1.0)
MIDDLE = Box(0.4, 1.25, 12.533, 5.6)
FOOT = Box(0.4, 6.95, 11.3, 0.4)
NUMBER = Box(11.8, 6.95, 1.133, 0.4)
#: Size of a picture in inches.
BODY = (MIDDLE.width, MIDDLE.height)
#: Font sizes in points of a title in one row, of longer titles, and of text.
_ONE_ROW = (30, 28, 26, 24)
_HEADS = (30, 28, 26, 24, 22, 20, SMALLEST)
_WORDS = (32, 28, 24, 22, 20, SMALLEST)
#: Pictures are drawn at three quarters of their size on a slide, with the usual font sizes.
_SCALE = 0.75
_POINTS = 72


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One slide, independent of the file format."""

    #: a result to draw, or paragraphs
    body: Result | tuple[str, ...]
    #: None to use the title of the picture
    title: tuple[str, ...] | None
    foot: str
    #: speaker notes, in paragraphs
    notes: tuple[str, ...]
    #: alternative text of the picture
    alt: str = ""

    def spoken(self, title: Sequence[str]) -> tuple[str, ...]:
        """Return the notes, preceded by the full title of a picture, which may be cut."""
        if isinstance(self.body, tuple):
            return self.notes
        return (f"In short: {'. '.join(title)}.", *self.notes)


def fit_title(lines: Sequence[str]) -> tuple[Paragraph, ...]:
    """Break a title into rows that fit above the picture."""
    for size in _ONE_ROW:
        found = fit(lines, HEAD.width, HEAD.height, [size], head=True)
        if [it.rows for it in found] == [(line,) for line in lines]:
            return found
    return fit(lines, HEAD.width, HEAD.height, _HEADS, head=True)


def fit_words(lines: Sequence[str]) -> tuple[Paragraph, ...]:
    """Break paragraphs into rows that fit in the box of the picture."""
    return fit(lines, MIDDLE.width, MIDDLE.height, _WORDS)


def fit_foot(line: str) -> tuple[Paragraph, ...]:
    """Cut a footer to one row."""
    return fit([line], FOOT.width, FOOT.height, (SMALLEST,))


def save_body(result: Result, file: Path | IO[bytes]) -> tuple[str, ...]:
    """Draw a result for a slide as PNG, without its title, and return the lines of the title."""
    with look():
        figure = Figure(figsize=(_SCALE * BODY[0], _SCALE * BODY[1]))
        FigureCanvasAgg(figure)
        ax = plot(result, ax=figure.add_subplot())
        title = _take_title(ax)
        figure.savefig(file, format="png", metadata=METADATA[".png"], dpi=200)
    return title


def save_pages(pages: Iterable[Page], path: Path, name: str) -> None:
    """Write pages with their notes to a PDF; the same pages give the same bytes."""
    metadata = METADATA[".pdf"] | {"Title": name, "Author": "fpdrift"}
    # TrueType, so that the text can be searched and read aloud
    with (
        look(),
        rc_context({"pdf.fonttype": 42}),
        atomic.writing(path) as file,
        PdfPages(file, metadata=metadata) as pdf,
    ):
        for number, page in enumerate(pages, 1):
            figure, title = _page(page, number)
            pdf.attach_note("\n\n".join(page.spoken(title)))
            pdf.savefig(figure)


def _page(page: Page, number: int) -> tuple[Figure, tuple[str, ...]]:
    """Draw a page, and return the figure and its title."""
    figure = Figure(figsize=(_SCALE * SLIDE[0], _SCALE * SLIDE[1]))
    title = page.title or ()
    if isinstance(page.body, tuple):
        _write(figure, MIDDLE, fit_words(page.body))
    else:
        below = SLIDE[1] - MIDDLE.top - MIDDLE.height
        shares = (MIDDLE.left / SLIDE[0], below / SLIDE[1])
        figure.set_layout_engine(
            "constrained", rect=(*shares, MIDDLE.width / SLIDE[0], MIDDLE.height / SLIDE[1])
        )
        title = _take_title(plot(page.body, ax=figure.add_subplot()))
    _write(figure, HEAD, fit_title(title))
    _write(figure, FOOT, fit_foot(page.foot), color="0.35")
    _write(figure, NUMBER, fit_foot(str(number)), color="0.35", right=True)
    return figure, title


def _write(
    figure: Figure,
    box: Box,
    paragraphs: Iterable[Paragraph],
    *,
    color: str = "black",
    right: bool = False,
) -> None:
    """Write rows into a box, from the top."""
    x, y = box.left + right * box.width, box.top
    for paragraph in paragraphs:
        for row in paragraph.rows:
            figure.text(
                x / SLIDE[0],
                1 - y / SLIDE[1],
                row,
                va="top",
                ha="right" if right else "left",
                color=color,
                fontsize=_SCALE * paragraph.size,
                fontweight="bold" if paragraph.bold else "normal",
                parse_math=False,
            )
            y += LEADING * paragraph.size / _POINTS


def _take_title(ax: Axes) -> tuple[str, ...]:
    """Remove the title of a picture and return it; further lines are joined to one paragraph."""
    first, *others = ax.get_title("left").split("\n")
    ax.set_title("")
    return (first, ". ".join(others).replace(". (", " (")) if others else (first,)
