"""What there is to show: one card for each picture, in the order of the lessons."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fpdrift.arithmetic import Orders
from fpdrift.errors import FpdriftError, shown
from fpdrift.experiments import FiveRuns, Settings, Study, TwoLoops, study
from fpdrift.results import Result


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One idea, and the kind of result that shows it."""

    #: of the picture's file, and of the recording
    name: str
    #: number of the lesson that tells it
    lesson: str
    kind: type[Result]
    #: what is said to be so, in one sentence
    claim: str
    #: for the room, before the picture is explained
    question: str
    #: what can be seen, for those who cannot see it; the figures are in the title
    alt: str
    #: what gives the same bits on every machine, in seconds; None where it has to be measured
    live: Callable[[Settings], Result] | None = None


CARDS: tuple[Card, ...] = (
    Card(
        name="order",
        lesson="01",
        kind=Orders,
        claim="The same expression in another order gives another last bit.",
        question="Which of the two is right?",
        alt="Each order of the expression step by step, with the bits that rounding took away",
        live=study("order").run,
    ),
    Card(
        name="chain",
        lesson="02",
        kind=TwoLoops,
        claim="Multiplying by nearly 1 a hundred million times leaves a visible error.",
        question="How often does each loop round in one step?",
        alt="Two lines that fall away from 1 at different slopes",
        live=study("chain").run,
    ),
    Card(
        name="five-runs",
        lesson="08",
        kind=FiveRuns,
        claim="Five runs with one seed end with five losses.",
        question="Would you have noticed?",
        alt="Five dots for the losses of five runs, beside those of the source",
    ),
    Card(
        name="threads-in-training",
        lesson="08",
        kind=Study,
        claim="The number of threads decides the bits of a training.",
        question="What would you have to fix to repeat one of these runs?",
        alt="Distances between runs with the same and with other numbers of threads",
    ),
)


def chosen(lessons: Iterable[str] | None = None) -> tuple[Card, ...]:
    """Give the cards of some lessons, or all.

    Raises
    ------
    FpdriftError
        If there is no card of a lesson.
    """
    if lessons is None:
        return CARDS
    known = tuple(dict.fromkeys(card.lesson for card in CARDS))
    wanted = [lesson.zfill(2) for lesson in lessons]
    for lesson in wanted:
        if lesson not in known:
            message = f"no slide for lesson {shown(lesson)}; there are: {', '.join(known)}"
            raise FpdriftError(message)
    return tuple(card for card in CARDS if card.lesson in wanted)
