"""What a slide is about, whatever its result: its claim, its question, its picture in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fpdrift.experiments import Settings
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
    #: for the room, before the picture is shown
    question: str
    #: what can be seen, for those who cannot see it; the figures are in the title
    alt: str
    #: what makes the result, as typed after ``fpdrift``
    command: str
    #: what gives the same bits on every machine, in seconds; None where it has to be measured
    live: Callable[[Settings], Result] | None = None
