"""Every screen at every width, on a terminal and in a pipe: the same words, nothing cut off."""

import io
import re
import sys

import numpy as np
import pytest
from long_results import long_results
from reduction_results import reduction_results
from study_results import study_results

from fpdrift import load_recorded, nudge, orders
from fpdrift.cli.screens import screen, show
from fpdrift.cli.screens.blocks import Fit, Verbatim, table
from fpdrift.cli.screens.screen import WIDEST, WIDTH
from fpdrift.cli.screens.settings import setting
from fpdrift.floats import anatomy
from fpdrift.recorded import recorded_names
from fpdrift.text import first_sentence, plural

RESULTS = {
    **{f"recorded-{name}": load_recorded(name) for name in recorded_names()},
    **dict(study_results()),
    **dict(reduction_results()),
    **{f"long-{name}": result for name, result in long_results()},
    "orders": orders("2*11/9"),
    "float32": anatomy("0.1", "float32"),
    "float64": anatomy("5e-324", "float64"),
    "infinity": anatomy("inf", "float32"),
    "equal-orders": orders("1+2+3"),
    "nudge": nudge({"w": np.linspace(0, 1, 100, dtype=np.float32)}, size=1e-8, seed=1)[1],
}
#: What a terminal is told by, such as to write in bold.
CODES = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def words(lines):
    return " ".join(lines).split()


@pytest.mark.parametrize("width", [40, WIDTH, WIDEST])
@pytest.mark.parametrize("name", RESULTS)
def test_no_line_is_wider_than_the_screen_or_cut_off(name, width):
    lines = screen(RESULTS[name], width)
    assert lines
    assert max(map(len, lines)) <= width, max(lines, key=len)
    assert not any(line != line.rstrip() or "…" in line for line in lines)
    assert "".join(lines).isprintable()


@pytest.mark.parametrize("name", RESULTS)
def test_a_screen_begins_with_a_sentence_and_shows_no_object(name):
    lines = screen(RESULTS[name])
    text = " ".join(line.strip() for line in lines)
    begin = " ".join(line.strip() for line in lines[: (*lines, "").index("")])
    assert re.match(r"(\S+ ){3,}.*?\.( |$)", begin), begin
    assert not re.search(r"\{'|\['|\$|<\w+ object|\(numpy|array\(", text)


@pytest.mark.parametrize("name", ["recorded-sources", "recorded-trees", "sums", "conditions"])
@pytest.mark.parametrize("columns", [40, 80, 250])
def test_a_terminal_shows_the_same_words_with_emphasis(name, columns, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    for variable in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(variable, raising=False)
    show(RESULTS[name])
    shown = sys.stdout.getvalue()
    assert "\x1b[1m" in shown
    plain = [line.rstrip() for line in CODES.sub("", shown).splitlines()]
    assert plain == screen(RESULTS[name], min(columns, WIDEST))


def test_a_pipe_gets_plain_text_of_80_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "33")
    for variable in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(variable, raising=False)
    show(RESULTS["sums"])
    assert capsys.readouterr().out.splitlines() == screen(RESULTS["sums"])


def rendered(block, width):
    from rich.console import Console

    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False)
    console.print(block)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_numbers_are_right_aligned_and_a_narrow_table_is_a_list():
    made = table(("run", ">distance", ">[b]"), [("one [red]", "1.0", "12"), ("two", "10.25", "")])
    assert rendered(made, 40) == [
        "  run        distance  [b]",
        "  one [red]       1.0   12",
        "  two           10.25",
    ]
    assert rendered(made, 20) == [
        "  run: one [red]",
        "    distance  1.0",
        "    [b]       12",
        "  run: two",
        "    distance  10.25",
    ]


def test_heads_and_texts_break_before_a_table_becomes_a_list():
    made = table(("a long text", ">two words"), [("some words here", "1")])
    assert rendered(made, 21) == [
        "                  two",
        "  a long text   words",
        "  some words        1",
        "  here",
    ]


def test_the_first_layout_that_fits_is_taken():
    made = Fit(Verbatim(["-" * 30]), Verbatim(["-" * 10]), "none")
    assert [rendered(made, width) for width in (32, 31, 12, 11)] == [
        ["  " + "-" * 30],
        ["  " + "-" * 10],
        ["  " + "-" * 10],
        ["none"],
    ]


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (1, "step", "1 step"),
        (0, "step", "0 steps"),
        (2, "try", "2 tries"),
        (2, "day", "2 days"),
        (1000, "batch", "1,000 batches"),
        (1, "float32 number", "1 float32 number"),
        (3, "loss", "3 losses"),
        (5, "epoch", "5 epochs"),
    ],
)
def test_plurals(number, noun, text):
    assert plural(number, noun) == text


def test_first_sentences():
    assert first_sentence("5 of 2.5 e.g. one. Then 3. End") == ("5 of 2.5 e.g. one.", "Then 3. End")
    assert first_sentence("No end") == ("No end", "")


def test_a_list_that_a_record_holds_as_text_is_written_as_words():
    assert setting("['InputLayer', 'Dense']") == "InputLayer, Dense"
    assert setting("{'kind': 'noise', 'size': 1e-08}") == "kind noise, size 1e-08"
    assert setting("[]") == "none"
    for text in ("['unclosed'", "[" * 900, r"['\d']x", "plain"):
        assert setting(text) == text
