"""Each card has a result of its kind, words that stand alone, a picture that a room can read."""

import re
import shlex

import matplotlib as mpl
import pytest
from legible import faults
from matplotlib.figure import Figure

from fpdrift.cli.main import parser
from fpdrift.experiments import EXPERIMENTS, LIGHT, STUDIES, Settings
from fpdrift.plotting import BODY, plot
from fpdrift.plotting._plot import look
from fpdrift.recorded import load_recorded
from fpdrift.slides import CARDS

NAMES = [card.name for card in CARDS]
#: Part of its size on a slide at which a picture is drawn.
SCALE = 0.75
#: Its pixels in an inch then.
DPI = 200
#: Letters of a title that two lines of a slide hold.
LONGEST = 66


def result_of(card):
    return card.live(Settings()) if card.live else load_recorded(card.name)


@pytest.fixture(scope="module", params=CARDS, ids=NAMES)
def card(request):
    return request.param


@pytest.fixture(scope="module")
def result(card):
    return result_of(card)


def test_every_experiment_and_every_lesson_has_a_card():
    kinds = {(card.name, card.lesson) for card in CARDS}
    for item in (*STUDIES, *LIGHT, *EXPERIMENTS):
        name = "nudged-weights" if item in EXPERIMENTS and item.name == "nudge" else item.name
        assert (name, item.lesson) in kinds
    assert {card.lesson for card in CARDS} == {f"{number:02d}" for number in range(11)}
    assert len(CARDS) >= 20
    assert len(set(NAMES)) == len(NAMES)
    assert [card.lesson for card in CARDS] == sorted(card.lesson for card in CARDS)


def test_the_words_stand_alone(card):
    assert card.claim.endswith(".")
    assert card.question.endswith("?") or card.question.endswith("look.")
    assert not card.alt.endswith(".")
    assert len(card.alt.split()) >= 8
    assert callable(parser().parse_args(shlex.split(card.command)).run)


def test_the_result_is_of_its_kind(card, result):
    assert type(result).__name__ == card.kind


@pytest.fixture(scope="module")
def whole(result):
    with look():
        # letters are not as wide at every resolution
        dpi = mpl.rcParams["savefig.dpi"]
        return plot(result, ax=Figure(dpi=dpi).add_subplot())


def body(result):
    with look():
        ax = plot(result, ax=Figure([SCALE * inches for inches in BODY], dpi=DPI).add_subplot())
        ax.set_title("")
        return ax


@pytest.mark.parametrize("form", ["whole", "body"])
def test_a_room_can_read_it(result, whole, form, monkeypatch):
    ax = whole if form == "whole" else body(result)
    with look():
        assert faults(ax.figure, monkeypatch, scale=1 / SCALE) == []


def test_a_title_says_what_was_found(result, whole):
    title = whole.get_title("left")
    assert len(title.split("\n")[0]) <= LONGEST
    assert re.search(r"\d|same|equal|not", title), title
    if getattr(getattr(result, "study", result), "size", None) == "quick":
        assert "quick" in title or "of at most" in title
