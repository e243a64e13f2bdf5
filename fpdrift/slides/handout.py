"""The same slides as a PDF, page by page, for rooms without the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fpdrift.plotting import Page, save_pages

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from fpdrift.slides.gather import Slide


def write_pdf(slides: Iterable[Slide], path: Path) -> None:
    """Write a page for each slide.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    save_pages((Page(slide.result, None, slide.origin) for slide in slides), path)
