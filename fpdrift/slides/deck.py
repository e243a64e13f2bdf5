"""A deck for PowerPoint, LibreOffice and the like: one idea a slide, notes below it."""

from __future__ import annotations

import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift.errors import MissingExtraError
from fpdrift.plotting import BODY, SLIDE, save_body

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fpdrift.slides.gather import Slide

#: Nothing in the file may depend on the day it is written; a zip file knows no earlier one.
_DAY = datetime(1980, 1, 1, tzinfo=UTC)
_TITLE_ONLY = 5


def write_deck(slides: Iterable[Slide], path: Path) -> None:
    """Write a deck of slides; the same results give the same bytes.

    Raises
    ------
    MissingExtraError
        If python-pptx is not installed.
    OSError
        If the file cannot be written.
    """
    try:
        from pptx import Presentation
        from pptx.util import Inches
    except ImportError:
        raise MissingExtraError("pptx") from None
    deck = Presentation()
    deck.slide_width, deck.slide_height = (Inches(inches) for inches in SLIDE)
    for slide in slides:
        _add(deck, slide)
    its = deck.core_properties
    its.title, its.author, its.last_modified_by = "fpdrift", "fpdrift", "fpdrift"
    its.created = its.modified = _DAY
    deck.save(str(path))
    _fix_times(path)


def _add(deck: Any, slide: Slide) -> None:
    from pptx.util import Inches, Pt

    page = deck.slides.add_slide(deck.slide_layouts[_TITLE_ONLY])
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder, f"{slide.card.name}.png")
        title = save_body(slide.result, picture)
        shape = page.shapes.add_picture(str(picture), Inches(0.4), Inches(1.3), Inches(BODY[0]))
    # python-pptx has no public way to set alternative text
    shape._element.nvPicPr.cNvPr.set("descr", f"{slide.card.alt}. {title}")  # noqa: SLF001
    head = page.shapes.title
    head.left, head.top, head.width, head.height = (Inches(x) for x in (0.4, 0.2, BODY[0], 1.0))
    head.text = title
    head.text_frame.paragraphs[0].font.size = Pt(30)
    foot = page.shapes.add_textbox(Inches(0.4), Inches(6.95), Inches(BODY[0]), Inches(0.45))
    foot.text_frame.text = slide.origin
    foot.text_frame.paragraphs[0].font.size = Pt(18)
    page.notes_slide.notes_text_frame.text = "\n\n".join(notes(slide))


def notes(slide: Slide) -> tuple[str, ...]:
    """Say what is claimed, what was measured where, and what to ask the room."""
    measured = getattr(slide.result, "finding", None)
    return tuple(
        text
        for text in (
            f"Claim: {slide.card.claim}",
            f"Measured: {measured}" if measured else None,
            f"From: {slide.origin}",
            f"Ask: {slide.card.question}",
        )
        if text is not None
    )


def _fix_times(path: Path) -> None:
    with zipfile.ZipFile(path) as old:
        parts = [(name, old.read(name)) for name in old.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts:
            new.writestr(zipfile.ZipInfo(name, _DAY.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)
