"""The PDF is the deck: page by page, word by word."""

import re

import pytest
from made_slides import made_slides
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from fpdrift.plotting import FOOT, HEAD, MIDDLE, NUMBER, SLIDE, _pages
from fpdrift.plotting._plot import look
from fpdrift.slides import write_pdf
from fpdrift.slides._pages import pages

PAGES = pages(made_slides())


def test_pages_are_slides_and_bytes_are_the_same(tmp_path):
    for name in ("one.pdf", "again.pdf"):
        write_pdf(made_slides()[2:], tmp_path / name)
    whole = (tmp_path / "one.pdf").read_bytes()
    assert whole == (tmp_path / "again.pdf").read_bytes()
    assert len(re.findall(rb"/Type /Page\b", whole)) == 5  # title, lesson, two, end
    assert whole.count(b"/Subtype /Text") == 5  # the notes
    assert whole.count(b"Said: ") == whole.count(b"In short: ") == 2
    assert b"(Floating-point drift)" in whole
    assert b"Date" not in whole


@pytest.fixture(scope="module")
def drawn():
    with look():
        figures = [_pages._page(page, number)[0] for number, page in enumerate(PAGES, 1)]
        for figure in figures:
            FigureCanvasAgg(figure).draw()
    return figures


def inside(box, left, right, low, high):
    sides = box.left - 0.02 <= left < right <= box.left + box.width + 0.02
    return sides and box.top - 0.02 <= high < low <= box.top + box.height + 0.02


def test_words_are_large_and_in_their_boxes(drawn):
    for figure in drawn:
        scale = SLIDE[0] / figure.bbox.width
        for text in filter(Text.get_text, figure.texts):
            assert round(text.get_fontsize() * SLIDE[0] / figure.get_figwidth(), 6) >= 18
            its = text.get_window_extent()
            edges = scale * its.x0, scale * its.x1, *(SLIDE[1] - scale * y for y in its.intervaly)
            assert any(inside(box, *edges) for box in (HEAD, MIDDLE, FOOT, NUMBER)), text


def test_a_picture_stays_between_title_and_foot(drawn):
    for figure in drawn:
        for ax in figure.axes:
            assert ax.get_title("left") == ""  # it is the page's
            extent = ax.get_tightbbox(figure.canvas.get_renderer())
            bottom, top = (y * SLIDE[1] / figure.bbox.height for y in (extent.y0, extent.y1))
            assert SLIDE[1] - MIDDLE.top - MIDDLE.height - 0.02 <= bottom
            assert top <= SLIDE[1] - MIDDLE.top + 0.02
