"""What is built is what a build gives: pictures, gallery and deck; what is recorded is there."""

import importlib.util
import re
import struct
from pathlib import Path

import pytest
from helpers import missing, require

from fpdrift.plotting import save_picture
from fpdrift.recorded import recorded_names
from fpdrift.slides import CARDS, gather

FIGURES = Path(__file__).parents[2] / "figures"
GALLERY = (FIGURES / "README.md").read_text(encoding="utf-8")
#: One that is exact, one that was recorded, one of many parts.
SAMPLE = ("order", "dose", "trees")


def script(name):
    spec = importlib.util.spec_from_file_location(name, FIGURES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def builder():
    require("pptx")
    return script("build")


@pytest.fixture
def same_tools(builder):
    """What draws here is what drew what is there, so the bytes have to be the same."""
    drawn_with = re.search(r"Drawn with (.*)\.\n", GALLERY).group(1)
    if builder.tools() != drawn_with:
        missing(f"drawn with {drawn_with}; here is {builder.tools()}; type: make figures")


@pytest.mark.check
@pytest.mark.usefixtures("same_tools")
def test_nothing_is_stale(builder):
    assert builder.stale() == []


@pytest.mark.usefixtures("same_tools")
@pytest.mark.parametrize("name", SAMPLE)
def test_a_picture_is_not_stale(name, tmp_path):
    (slide,) = gather([card for card in CARDS if card.name == name])
    files = [tmp_path / f"{name}.{kind}" for kind in ("png", "svg")]
    finding = save_picture(slide.result, *files, alt=slide.card.alt).split("\n")[0]
    assert f"**{finding}**" in GALLERY
    for file in files:
        assert file.read_bytes() == (FIGURES / file.name).read_bytes()


def test_the_pdf_has_a_page_for_each_slide():
    slides = require("pptx").Presentation(FIGURES / "fpdrift.pptx").slides
    pages = re.findall(rb"/Type /Page\b", (FIGURES / "fpdrift.pdf").read_bytes())
    assert len(pages) == len(slides) > len(CARDS)


def test_what_differs_lacks_or_is_left_over_is_stale(builder, tmp_path, monkeypatch, capsys):
    def build(folder):
        (folder / "README.md").write_text("gallery")
        (folder / "order.png").write_bytes(b"picture")
        (folder / "order.svg").write_bytes(b"picture")

    monkeypatch.setattr(builder, "HERE", tmp_path)
    monkeypatch.setattr(builder, "build", build)
    monkeypatch.setattr("sys.argv", ["build.py"])
    assert builder.main() == 0
    monkeypatch.setattr("sys.argv", ["build.py", "--check"])
    assert builder.main() == 0
    (tmp_path / "order.png").write_bytes(b"another")
    (tmp_path / "order.svg").unlink()
    (tmp_path / "old.svg").write_bytes(b"left")
    assert builder.stale() == ["old.svg", "order.png", "order.svg"]
    assert builder.main() == 1
    assert capsys.readouterr().out == "stale: old.svg, order.png, order.svg; type: make figures\n"


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_a_picture_is_16_to_9_and_small_and_in_the_gallery(card):
    head = (FIGURES / f"{card.name}.png").read_bytes()[:24]
    assert struct.unpack(">II", head[16:]) == (1920, 1080)
    svg = (FIGURES / f"{card.name}.svg").read_text(encoding="utf-8")
    assert len(svg) < 300_000
    assert f"<dc:description>{card.alt}</dc:description>" in svg  # read out to who cannot see it
    assert f"![{card.alt}]({card.name}.png)" in GALLERY
    assert f"`fpdrift {card.command}`" in GALLERY


def test_what_is_recorded_stays_and_what_is_not_would_be(tmp_path, monkeypatch):
    recorder = script("record")
    assert list(recorder.lacking()) == []
    wanted = {card.name for card in CARDS if card.live is None}
    assert wanted <= set(recorded_names())
    monkeypatch.setattr(recorder, "RECORDED", recorder.ROOT / "nowhere")
    typed = list(recorder.lacking())
    assert {Path(arguments[-1]).stem for arguments in typed} == wanted
    assert ["batch", "--json", str(Path("nowhere", "batch.json"))] in typed


@pytest.mark.parametrize("name", recorded_names())
def test_a_recording_is_small(name):
    path = FIGURES.parent / "fpdrift" / "recorded" / f"{name}.json"
    assert path.stat().st_size < 150_000
