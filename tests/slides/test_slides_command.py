"""`fpdrift slides`: what it says, what it writes, and that a failure loses nothing."""

import importlib.util
import json
import sys

import pytest
from helpers import require
from made_slides import MADE, own_study

import fpdrift.slides
from fpdrift.cli.main import main

NAMES = ["fpdrift.pdf", "fpdrift.pptx"]


@pytest.fixture(autouse=True)
def few(monkeypatch, tmp_path):
    """Only the made cards, each fixed to its lesson; nothing of this folder's own."""
    require("pptx")
    monkeypatch.setattr("fpdrift.slides._cards.CARDS", MADE)
    monkeypatch.chdir(tmp_path)


def run(*argv):
    return main(["slides", *argv])


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def write(slides, path):
    path.write_text(f"{len(slides)} slides")


@pytest.mark.slow
def test_it_says_where_each_result_is_from(tmp_path, capsys):
    (tmp_path / "fpdrift-out").mkdir()
    text = json.loads(own_study().to_json())
    text["provenance"]["cpu"] = 9 * "very long name "
    (tmp_path / "fpdrift-out" / "x.json").write_text(json.dumps(text), encoding="utf-8")
    (tmp_path / "fpdrift-out" / "y.json").write_text("{}", encoding="utf-8")
    assert run("--lessons", "1,08", "--out", "talk") == 0
    out = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in out)
    assert out[0] == "  01 order                Computed here; the same bits on every machine"
    assert out[1].startswith("  08 five-runs            Recorded: ")
    assert out[2].startswith("  08 a-study              Own result: ")
    assert out[3].startswith("  Left out, fpdrift-out/y.json: not a saved Result")
    assert out[-1] == "Saved: talk/fpdrift.pptx, talk/fpdrift.pdf"
    assert files(tmp_path / "talk") == NAMES


def test_a_card_without_a_result_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(fpdrift.slides, "write_deck", write)
    monkeypatch.setattr(fpdrift.slides, "write_pdf", write)
    assert run("--lessons", "08", "--out", "talk") == 0
    assert "08 a-study              left out: not recorded yet" in capsys.readouterr().out
    assert files(tmp_path / "talk") == NAMES


def test_a_deck_that_is_there_is_not_replaced_unasked(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(fpdrift.slides, "write_deck", write)
    monkeypatch.setattr(fpdrift.slides, "write_pdf", write)
    (tmp_path / NAMES[1]).write_text("edited")
    assert run("--lessons", "01", "--out", ".") == 2
    assert f"{NAMES[1]} is there already" in capsys.readouterr().err
    assert (tmp_path / NAMES[1]).read_text() == "edited"
    assert run("--lessons", "01", "--out", ".", "--overwrite") == 0
    assert (tmp_path / NAMES[1]).read_text() == "1 slides"


def test_a_failure_keeps_the_old_files(tmp_path, monkeypatch):
    def full(slides, path):
        path.write_text("half")
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(fpdrift.slides, "write_deck", write)
    monkeypatch.setattr(fpdrift.slides, "write_pdf", full)
    for name in NAMES:
        (tmp_path / name).write_text("old")
    assert run("--lessons", "01", "--out", ".", "--overwrite") == 2
    assert files(tmp_path) == NAMES
    assert all((tmp_path / name).read_text() == "old" for name in NAMES)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--out", "talk", "--lessons", "99"], "no slide for lesson '99'"),
        (["--out", "talk", "--lessons", ""], "--lessons names no lesson"),
        (["--out", "talk", "--results", "nowhere"], "--results nowhere is no folder"),
        (["--out", "file"], "cannot write to file"),
        (["--out", "taken"], "cannot write taken/fpdrift.pdf: it is a folder"),
        (["--lessons", "01"], "--out"),
    ],
)
def test_bad_input_is_one_line(argv, said, tmp_path, capsys):
    (tmp_path / "file").write_text("kept")
    (tmp_path / "taken" / "fpdrift.pdf").mkdir(parents=True)
    assert run(*argv) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert files(tmp_path) == ["file", "taken"]


def test_nothing_to_show_is_said(capsys, monkeypatch):
    monkeypatch.setattr("fpdrift.slides._cards.CARDS", MADE[3:])
    assert run("--out", "talk") == 2
    assert "none of these slides has a result yet" in capsys.readouterr().err


def test_without_the_library_it_says_what_to_type(capsys, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pptx", None)
    monkeypatch.setattr(importlib.util, "find_spec", {}.get)
    assert run("--out", "talk") == 2
    assert "pip install 'fpdrift[slides]'" in capsys.readouterr().err
    assert files(tmp_path) == []
