"""The same slides as a PDF, page by page, for rooms without the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fpdrift.plotting import save_pages
from fpdrift.slides.pages import TITLE, pages

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from fpdrift.slides.gather import Slide


def write_pdf(slides: Iterable[Slide], path: Path) -> None:
    """Write a page for each slide of the deck; the same results give the same bytes.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    save_pages(pages(slides), path, TITLE)
