"""Write the slides as a PDF, or as a deck for PowerPoint, LibreOffice and similar programs.

The deck's master defines the position and font of title, text, footer and number. All slides
inherit from it, so that a talk can be restyled in one place.
"""

from __future__ import annotations

import io
import zipfile
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fpdrift import atomic
from fpdrift.errors import MissingExtraError
from fpdrift.plotting import (
    FOOT,
    HEAD,
    MIDDLE,
    NUMBER,
    SLIDE,
    Paragraph,
    fit_foot,
    fit_title,
    fit_words,
    save_body,
    save_pages,
)
from fpdrift.slides._pages import TITLE, pages

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pptx.presentation import Presentation

    from fpdrift.plotting import Page
    from fpdrift.serialization import Result
    from fpdrift.slides._gather import Slide


def write_pdf(slides: Iterable[Slide], path: Path) -> None:
    """Write a PDF with a page for each slide; equal results give equal bytes.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    save_pages(pages(slides), path, TITLE)


#: Names of the two layouts.
WORDS, PICTURE = "Title and Content", "Title Only"
#: A wide font of PowerPoint; LibreOffice substitutes DejaVu Sans, the font of the pictures.
_FONT = "Verdana"
_GREY = "595959"


def empty_deck() -> Presentation:
    """Return a widescreen deck with two layouts: a title over text, and a title over a picture."""
    from pptx import Presentation
    from pptx.util import Inches

    deck = Presentation()
    deck.slide_width, deck.slide_height = (Inches(inches) for inches in SLIDE)
    # python-pptx has no public API for these settings of a master
    del deck.element.sldSz.attrib["type"]  # 4:3
    for layout in list(deck.slide_layouts):
        if layout.name not in (WORDS, PICTURE):
            deck.slide_layouts.remove(layout)
    for sheet in (deck.slide_master, *deck.slide_layouts):
        _without_date(sheet)
    _place(deck.slide_master)
    _style(deck.slide_master)
    return deck


def _without_date(sheet: Any) -> None:
    from pptx.enum.shapes import PP_PLACEHOLDER

    for shape in list(sheet.placeholders):
        if shape.placeholder_format.type == PP_PLACEHOLDER.DATE:
            shape.element.getparent().remove(shape.element)


def _place(master: Any) -> None:
    from pptx.enum.shapes import PP_PLACEHOLDER
    from pptx.enum.text import MSO_ANCHOR
    from pptx.util import Inches

    boxes = {
        PP_PLACEHOLDER.TITLE: HEAD,
        PP_PLACEHOLDER.BODY: MIDDLE,
        PP_PLACEHOLDER.FOOTER: FOOT,
        PP_PLACEHOLDER.SLIDE_NUMBER: NUMBER,
    }
    for shape in master.placeholders:
        box = boxes[shape.placeholder_format.type]
        shape.left, shape.top, shape.width, shape.height = (Inches(x) for x in box)
        frame = shape.text_frame
        frame.vertical_anchor = MSO_ANCHOR.TOP
        frame.margin_left = frame.margin_top = frame.margin_right = frame.margin_bottom = 0


def _style(master: Any) -> None:
    """Set fonts, sizes and alignment: a bold title, text without bullets, a grey footer."""
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import nsdecls, qn

    grey = f'<a:solidFill {nsdecls("a")}><a:srgbClr val="{_GREY}"/></a:solidFill>'
    latin = f'<a:latin {nsdecls("a")} typeface="{_FONT}"/>'
    for old in list(master.element.iter(qn("a:latin"))):
        old.set("typeface", _FONT)
    for level in master.element.iter(qn("a:lvl1pPr")):
        letters = level.find(qn("a:defRPr"))
        kind = level.getparent().tag
        if kind == qn("p:titleStyle"):
            level.set("algn", "l")
            letters.set("b", "1")
        elif kind == qn("p:bodyStyle"):
            level.set("marL", "0")
            level.set("indent", "0")
            level.find(qn("a:spcBef"))[0].set("val", "0")
            level.replace(level.find(qn("a:buChar")), parse_xml(f"<a:buNone {nsdecls('a')}/>"))
            level.remove(level.find(qn("a:buFont")))
        elif kind == qn("a:lstStyle"):  # of the footer and the number
            if level.get("algn") == "ctr":
                level.set("algn", "l")
            letters.set("sz", "1800")
            letters.replace(letters.find(qn("a:solidFill")), parse_xml(grey))
            letters.append(parse_xml(latin))


#: The file must not depend on the date of writing; this is the earliest date of a zip file.
_DAY = datetime(1980, 1, 1, tzinfo=UTC)
#: Font size of the speaker notes, in points.
_NOTES = 12


def write_deck(slides: Iterable[Slide], path: Path) -> None:
    """Write a deck of slides; equal results give equal bytes.

    Raises
    ------
    MissingExtraError
        If python-pptx is not installed.
    OSError
        If the file cannot be written.
    """
    try:
        deck: Any = empty_deck()
    except ImportError:
        raise MissingExtraError("pptx") from None
    for number, page in enumerate(pages(slides), 1):
        _add(deck, page, number)
    its = deck.core_properties
    its.title, its.language = TITLE, "en-US"
    its.author = its.last_modified_by = "fpdrift"
    its.created = its.modified = _DAY
    whole = io.BytesIO()
    deck.save(whole)
    _save(whole, path)


def _add(deck: Any, page: Page, number: int) -> None:
    """Add a slide; screen readers read its shapes in this order: title, body, footer, number."""
    words = isinstance(page.body, tuple)
    sheet = deck.slides.add_slide(deck.slide_layouts.get_by_name(WORDS if words else PICTURE))
    title = page.title or ()
    if isinstance(page.body, tuple):
        _write(sheet.placeholders[1].text_frame, fit_words(page.body))
    else:
        title = _add_picture(sheet, page.body, page.alt)
    _write(sheet.shapes.title.text_frame, fit_title(title))
    _add_foot(sheet, page.foot, number)
    spoken = (Paragraph((text,), _NOTES) for text in page.spoken(title))
    _write(sheet.notes_slide.notes_text_frame, spoken)


def _add_picture(sheet: Any, result: Result, alt: str) -> tuple[str, ...]:
    """Add a result's picture, and return its title."""
    from pptx.util import Inches

    drawn = io.BytesIO()
    title = save_body(result, drawn)
    picture = sheet.shapes.add_picture(drawn, *(Inches(x) for x in MIDDLE))
    # python-pptx has no public API for alternative text
    picture.element.nvPicPr.cNvPr.set("descr", f"{alt}. {'. '.join(title)}")
    return title


def _add_foot(sheet: Any, foot: str, number: int) -> None:
    """Copy the layout's footer and number, which python-pptx leaves out."""
    from pptx.enum.shapes import PP_PLACEHOLDER
    from pptx.oxml.ns import qn

    for shape in sheet.slide_layout.placeholders:
        kind = shape.placeholder_format.type
        if kind not in (PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER):
            continue
        copied = deepcopy(shape.element)
        copied.nvSpPr.cNvPr.set("id", str(len(sheet.shapes) + 2))
        sheet.shapes.element.append(copied)
        if kind == PP_PLACEHOLDER.FOOTER:
            _write(sheet.shapes[-1].text_frame, fit_foot(foot))
        else:  # a field: PowerPoint renumbers slides that are moved
            next(copied.iter(qn("a:t"))).text = str(number)


def _write(frame: Any, paragraphs: Iterable[Paragraph]) -> None:
    """Write paragraphs; the presentation program breaks the lines itself."""
    from pptx.enum.lang import MSO_LANGUAGE_ID
    from pptx.util import Pt

    for i, paragraph in enumerate(paragraphs):
        its = frame.paragraphs[0] if i == 0 else frame.add_paragraph()
        run = its.add_run()
        run.text = " ".join(paragraph.rows)
        run.font.language_id = MSO_LANGUAGE_ID.ENGLISH_US
        run.font.bold = paragraph.bold
        run.font.size = Pt(paragraph.size)


def _save(whole: io.BytesIO, path: Path) -> None:
    """Write a zip file whose parts all have the same date."""
    with (
        zipfile.ZipFile(whole) as old,
        atomic.writing(path) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            part = zipfile.ZipInfo(name, _DAY.timetuple()[:6])
            new.writestr(part, old.read(name), zipfile.ZIP_DEFLATED)
