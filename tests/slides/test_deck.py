"""Every slide is whole: title, notes, alternative text, legible letters, and nothing outside."""

import itertools
import re
import shutil
import subprocess
import zipfile

import pytest
from helpers import missing, require
from made_slides import LONG, MADE, ROOT, made_slides

from fpdrift.lessons import find_lesson, lessons
from fpdrift.plotting import _pages as drawing
from fpdrift.plotting._plot import look
from fpdrift.slides import write_deck
from fpdrift.slides._pages import pages

#: Whoever draws it, and whatever was measured since, keeps to the same rules.
COMMITTED = ROOT / "figures" / "fpdrift.pptx"
LESSONS = list(dict.fromkeys(card.lesson for card in MADE))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    require("pptx")
    path = tmp_path_factory.mktemp("deck") / "made.pptx"
    write_deck(made_slides(), path)
    return path


@pytest.fixture(params=["made", "committed"])
def file(request, written):
    return written if request.param == "made" else COMMITTED


@pytest.fixture
def deck(file):
    return require("pptx").Presentation(file)


def pictures(slide):
    return [shape for shape in slide.shapes if shape.shape_type == 13]


def notes(slide):
    return slide.notes_slide.notes_text_frame.text


def pieces(shape):
    return [run for paragraph in shape.text_frame.paragraphs for run in paragraph.runs]


def test_first_the_title_then_each_lesson_then_the_commands(written):
    pptx = require("pptx")
    slides = list(pptx.Presentation(written).slides)
    titles = [slide.shapes.title.text_frame.text for slide in slides]
    assert len(slides) == 1 + len(MADE) + len(LESSONS) + 1
    assert [title.startswith(find_lesson("08").title) for title in titles].index(True) == 5
    assert f"“{find_lesson('08').question}”" == slides[5].placeholders[1].text_frame.text
    assert [len(pictures(slide)) for slide in slides] == [0, 0, 1, 0, 1, 0, 1, 1, 0]
    assert "fpdrift slides" in slides[-1].placeholders[1].text_frame.text


def test_a_lesson_asks_in_plain_words():
    for question in (lesson.question for lesson in lessons()):
        assert question.endswith("?")
        assert not set(question) & set('*"`>')


def test_a_picture_comes_with_what_is_claimed_measured_and_asked(written):
    pptx = require("pptx")
    slides = [s for s in pptx.Presentation(written).slides if pictures(s)]
    for slide, made in zip(slides, made_slides(), strict=True):
        said = notes(slide)
        for words in (made.card.claim, made.card.question, made.card.alt, made.origin):
            assert words in said
        assert said.startswith(f"In short: {slide.shapes.title.text_frame.paragraphs[0].text}")
        assert f"fpdrift lessons open {made.card.lesson}" in said
        assert f"To reproduce it: fpdrift {made.card.command}" in said
        by = made.result.provenance
        assert ("numpy" in said and by.code in said) == (made.place != "exact")
        assert slide.shapes[-2].text_frame.text == made.origin
        assert pictures(slide)[0]._element.nvPicPr.cNvPr.get("descr").startswith(made.card.alt)
    assert f"Measured: {made_slides()[-1].result.finding}" in notes(slides[-1])
    assert "Quick: smaller than in the forum answer." in notes(slides[-1])
    assert "As large as in the forum answer." in notes(slides[2])


def test_every_slide_has_title_notes_number_and_alternative_text(deck):
    for number, slide in enumerate(deck.slides, 1):
        assert slide.shapes[0] == slide.shapes.title  # read aloud first
        assert slide.shapes.title.text_frame.text.strip()
        assert "Ask: " in notes(slide)
        assert slide.shapes[-1].text_frame._txBody.xpath(".//a:fld/a:t")[0].text == str(number)
        for picture in pictures(slide):
            assert len(picture._element.nvPicPr.cNvPr.get("descr")) > 20
            assert "From: " in notes(slide)
            assert "Claim: " in notes(slide)


def test_nothing_is_outside_or_over_another(deck):
    assert deck.slide_width / deck.slide_height == pytest.approx(16 / 9, rel=1e-3)
    assert deck.element.sldSz.get("type") is None  # not said to be 4:3
    for slide in deck.slides:
        boxes = [(s.left, s.top, s.left + s.width, s.top + s.height) for s in slide.shapes]
        for left, top, right, bottom in boxes:
            assert 0 <= left < right <= deck.slide_width
            assert 0 <= top < bottom <= deck.slide_height
        for a, b in itertools.combinations(boxes, 2):
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert apart, slide.shapes.title.text_frame.text


def test_letters_are_large_and_english(deck):
    master = deck.slide_master
    sheets = [*deck.slides, *deck.slide_layouts, master]
    for sheet in sheets:
        sizes = sheet._element.xpath(".//@sz[number(.) = number(.)]")
        assert all(int(size) >= 1800 for size in sizes), sizes
    for slide in deck.slides:
        for frame in (s.text_frame for s in slide.shapes if s.has_text_frame):
            assert frame._txBody.xpath(".//a:rPr/@lang")
        for run in (run for shape in slide.shapes if shape.has_text_frame for run in pieces(shape)):
            assert run.font.size.pt >= 18
            assert run.font.language_id == 1033  # US English


def test_a_long_title_is_whole_and_smaller(written):
    pptx = require("pptx")
    titles = [slide.shapes.title for slide in pptx.Presentation(written).slides]
    long = next(title for title in titles if LONG in title.text_frame.text)
    assert 18 <= pieces(long)[0].font.size.pt < pieces(titles[0])[0].font.size.pt == 30
    assert [piece.font.bold for piece in pieces(long)] == [True, False]
    assert long.text_frame.text.endswith(f"{LONG} (quick: 12 steps per run)")


def test_the_same_results_give_the_same_bytes(written, tmp_path):
    write_deck(made_slides(), tmp_path / "again.pptx")
    assert written.read_bytes() == (tmp_path / "again.pptx").read_bytes()
    with zipfile.ZipFile(written) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"1980-01-01" in parts.read("docProps/core.xml")


def test_a_page_of_the_pdf_has_the_words_of_its_slide(written):
    pptx = require("pptx")
    for number, (page, sheet) in enumerate(
        zip(pages(made_slides()), pptx.Presentation(written).slides, strict=True), 1
    ):
        with look():
            figure, _ = drawing._page(page, number)
        said = [word for text in figure.texts for word in text.get_text().split()]
        frames = [shape.text_frame for shape in sheet.shapes if shape.has_text_frame]
        words = [text for frame in frames for text in frame._txBody.xpath(".//a:t/text()")]
        assert sorted(said) == sorted(" ".join(words).split())


@pytest.mark.slow
def test_libreoffice_shows_every_slide(file, deck, tmp_path):
    office = shutil.which("soffice") or missing("LibreOffice is not installed")
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", tmp_path, file]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    shown = (tmp_path / f"{file.stem}.pdf").read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", shown)) == len(deck.slides) > 2
