"""Pictures for slides: the title is the slide's own, and the file holds what is below it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from fpdrift.plotting.draw import METADATA, look, plot

if TYPE_CHECKING:
    from fpdrift.results import Result

#: Inches of a slide, and of its part below the title and above the foot. Pictures are drawn at
#: three quarters of that, in the sizes of letters that they have everywhere.
SLIDE = (13.333, 7.5)
BODY = (12.533, 5.6)
_SCALE = 0.75


class Page(NamedTuple):
    """One page of a handout."""

    #: a result to draw, or lines of text
    body: Result | tuple[str, ...]
    #: None: the picture's own
    title: str | None
    foot: str


def save_body(result: Result, path: Path) -> str:
    """Draw a result as it stands on a slide, without its title; give the title."""
    with look():
        figure = Figure(figsize=(_SCALE * BODY[0], _SCALE * BODY[1]))
        FigureCanvasAgg(figure)
        ax = plot(result, ax=figure.add_subplot())
        title = _take_title(ax)
        figure.savefig(path, metadata=METADATA[path.suffix], dpi=200)
    return title


def save_pages(pages: Iterable[Page], path: Path) -> None:
    """Write a page for each slide into one PDF; the same pages give the same bytes."""
    with look(), PdfPages(path, metadata=METADATA[".pdf"]) as pdf:
        for page in pages:
            pdf.savefig(_page(page))


def _page(page: Page) -> Figure:
    figure = Figure(figsize=(_SCALE * SLIDE[0], _SCALE * SLIDE[1]))
    figure.set_layout_engine("constrained", rect=(0.03, 0.09, 0.94, 0.75))
    ax = figure.add_subplot()
    title = page.title
    if isinstance(page.body, tuple):
        ax.set_axis_off()
        ax.text(0, 1, "\n\n".join(page.body), va="top", fontsize=18, wrap=True)
    else:
        plot(page.body, ax=ax)
        title = title or _take_title(ax)
    figure.text(0.03, 0.95, title or "", va="top", fontsize=22, fontweight="bold", wrap=True)
    figure.text(0.03, 0.02, page.foot, color="0.35")
    return figure


def _take_title(ax: Axes) -> str:
    title = ax.get_title("left").replace("\n", ". ")
    ax.set_title("")
    return title
