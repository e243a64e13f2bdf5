"""A few slides of each origin, for the tests: two exact ones, one recorded, one of one's own."""

import dataclasses
from functools import cache
from pathlib import Path

from study_results import a_study

from fpdrift.experiments import study
from fpdrift.slides import CARDS, gather

ROOT = Path(__file__).parents[2]
LONG = "Each run twice, and again at every other number of threads, so that whoever sits at the "
LONG += "back can tell which of them ended with the same bits"


def card(name, lesson, kind, live=None):
    words = {word: f"{word} of {name}" for word in ("claim", "question", "alt", "command")}
    return dataclasses.replace(CARDS[0], name=name, lesson=lesson, kind=kind, live=live, **words)


MADE = (
    card("order", "01", "Orders", study("order").run),
    card("chain", "02", "TwoLoops", study("chain").run),
    card("five-runs", "08", "FiveRuns"),
    card("a-study", "08", "Study"),
)


def own_study(**changes):
    return dataclasses.replace(a_study(name="a-study"), **changes)


@cache
def made_slides():
    return gather(MADE, {"a-study": own_study(name=LONG)})
