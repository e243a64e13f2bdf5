"""Pages for a room: a title, a picture or words, and a foot, each in a box of its own.

Words in a box: broken into rows, and no larger than the box has room for.
"""

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

#: Height of a row, in sizes of its letters.
LEADING = 1.2
#: Points; nothing on a slide is smaller.
SMALLEST = 18
#: Programs do not place letters quite alike.
_SLACK = 1.03


class Paragraph(NamedTuple):
    """A paragraph as it stands in its box."""

    rows: tuple[str, ...]
    #: points
    size: float = SMALLEST
    bold: bool = False


def fit(
    lines: Sequence[str], width: float, height: float, sizes: Iterable[float], *, head: bool = False
) -> tuple[Paragraph, ...]:
    """Break lines into rows, in the first of some sizes in which they fit into a box.

    Parameters
    ----------
    lines : sequence of str
        Each a paragraph; spaces at the start of one stay.
    width, height : float
        Inches of the box.
    sizes : iterable of float
        Points, largest first. What does not fit in the last of them is cut.
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
    """Measure a row, in sizes of its letters."""
    font = FontProperties(weight="bold" if bold else "normal", size=1)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])


def _cut(paragraphs: Iterable[Paragraph], height: float) -> Iterator[Paragraph]:
    """Return what fits, the last row of it with an ellipsis for the rest."""
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
    """A part of a slide, in inches from its upper left corner."""

    left: float
    top: float
    width: float
    height: float


#: Inches of a slide, and its parts from top to bottom.
SLIDE = (13.333, 7.5)
HEAD = Box(0.4, 0.2, 12.533, 1.0)
MIDDLE = Box(0.4, 1.25, 12.533, 5.6)
FOOT = Box(0.4, 6.95, 11.3, 0.4)
NUMBER = Box(11.8, 6.95, 1.133, 0.4)
#: Inches of a picture.
BODY = (MIDDLE.width, MIDDLE.height)
#: Points that a title's first line and words may have. To fit in one row a title becomes smaller.
_ONE_ROW = (30, 28, 26, 24)
_HEADS = (30, 28, 26, 24, 22, 20, SMALLEST)
_WORDS = (32, 28, 24, 22, 20, SMALLEST)
#: Pictures are drawn at three quarters of their size on a slide, in the sizes of letters that
#: they have everywhere.
_SCALE = 0.75
_POINTS = 72


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One slide, whatever kind of file it ends in."""

    #: what is drawn, or paragraphs
    body: Result | tuple[str, ...]
    #: None where it is the picture's own
    title: tuple[str, ...] | None
    foot: str
    #: what the speaker says, in paragraphs
    notes: tuple[str, ...]
    #: what can be seen, for those who cannot see it
    alt: str = ""

    def spoken(self, title: Sequence[str]) -> tuple[str, ...]:
        """Return the notes, and a picture's title in full: on the slide it may be cut."""
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
    """Break paragraphs into rows that fit in a picture's place."""
    return fit(lines, MIDDLE.width, MIDDLE.height, _WORDS)


def fit_foot(line: str) -> tuple[Paragraph, ...]:
    """Cut a foot to one row."""
    return fit([line], FOOT.width, FOOT.height, (SMALLEST,))


def save_body(result: Result, file: Path | IO[bytes]) -> tuple[str, ...]:
    """Draw a result as it stands on a slide, without its title, as PNG; give the title's lines."""
    with look():
        figure = Figure(figsize=(_SCALE * BODY[0], _SCALE * BODY[1]))
        FigureCanvasAgg(figure)
        ax = plot(result, ax=figure.add_subplot())
        title = _take_title(ax)
        figure.savefig(file, format="png", metadata=METADATA[".png"], dpi=200)
    return title


def save_pages(pages: Iterable[Page], path: Path, name: str) -> None:
    """Write each page into one PDF, its notes beside it; the same pages give the same bytes."""
    metadata = METADATA[".pdf"] | {"Title": name, "Author": "fpdrift"}
    # TrueType, so that the words can be searched and read aloud
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
    """Draw a page; give its title, too."""
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
    """Write rows into a box from its top on."""
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
    """Take the title off a picture; its further lines become one paragraph, of few rows."""
    first, *others = ax.get_title("left").split("\n")
    ax.set_title("")
    return (first, ". ".join(others).replace(". (", " (")) if others else (first,)
