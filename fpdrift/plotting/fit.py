"""Words in a box: broken into rows, and no larger than the box has room for."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: Height of a row, in sizes of its letters.
LEADING = 1.2
#: Points; nothing on a slide is smaller.
SMALLEST = 18
_POINTS = 72
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
    """Give what fits, the last row of it with an ellipsis for the rest."""
    kept: list[Paragraph] = []
    for it in paragraphs:
        room = int(height / (it.size * LEADING))
        height -= len(it.rows) * it.size * LEADING
        if room > 0:
            kept.append(it._replace(rows=it.rows[:room]))
    *whole, last = kept
    yield from whole
    yield last._replace(rows=(*last.rows[:-1], f"{last.rows[-1][:-1]}…"))
