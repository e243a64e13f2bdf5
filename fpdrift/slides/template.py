"""The deck's master: where title, words, foot and number stand, and in which letters.

Slides inherit it, so that whoever restyles a talk does so in one place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fpdrift.plotting import FOOT, HEAD, MIDDLE, NUMBER, SLIDE

if TYPE_CHECKING:
    from pptx.presentation import Presentation

#: Names of the two layouts.
WORDS, PICTURE = "Title and Content", "Title Only"
#: Wide letters that PowerPoint has; LibreOffice takes DejaVu Sans in its place, as in the pictures.
_LETTERS = "Verdana"
_GREY = "595959"


def empty_deck() -> Presentation:
    """Make a wide deck of two layouts: a title over words, and a title over a picture."""
    from pptx import Presentation
    from pptx.util import Inches

    deck = Presentation()
    deck.slide_width, deck.slide_height = (Inches(inches) for inches in SLIDE)
    # python-pptx has no public way to the rest of what a master says
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
    """Put letters, sizes and sides on: the title bold, words without bullets, the foot grey."""
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import nsdecls, qn

    grey = f'<a:solidFill {nsdecls("a")}><a:srgbClr val="{_GREY}"/></a:solidFill>'
    latin = f'<a:latin {nsdecls("a")} typeface="{_LETTERS}"/>'
    for old in list(master.element.iter(qn("a:latin"))):
        old.set("typeface", _LETTERS)
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
        elif kind == qn("a:lstStyle"):  # of the foot and the number
            if level.get("algn") == "ctr":
                level.set("algn", "l")
            letters.set("sz", "1800")
            letters.replace(letters.find(qn("a:solidFill")), parse_xml(grey))
            letters.append(parse_xml(latin))
