"""The one list of experiments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fpdrift.errors import FpdriftError
from fpdrift.experiments import light
from fpdrift.experiments.arrivals import threads
from fpdrift.experiments.cnn import cnn
from fpdrift.experiments.twoloops import two_loops

if TYPE_CHECKING:
    from fpdrift.experiments.settings import Settings
    from fpdrift.results import Result


@dataclass(frozen=True, slots=True)
class Experiment:
    """One study."""

    name: str
    #: ids of the source's claims that it measures
    claims: tuple[str, ...]
    #: number of the lesson that tells it; None until that lesson is written
    lesson: str | None
    #: what it does, in one line
    summary: str
    run: Callable[[Settings], Result | Any]


EXPERIMENTS = (
    Experiment("order", ("C01",), "01", "one expression, every order", light.order),
    Experiment("chain", ("C02", "C03", "C04"), None, "multiply by nearly 1, 1e8 times", two_loops),
    Experiment("threads", ("C05",), None, "a sum in order of arrival", threads),
    Experiment("nudge", ("C07", "C21"), None, "tiny noise on half of the weights", light.nudge),
    Experiment("cnn", ("C06", "C07"), None, "one network, trained four times", cnn),
)


def experiment(name: str) -> Experiment:
    """Find an experiment by its name.

    Raises
    ------
    FpdriftError
        If there is none of that name.
    """
    for candidate in EXPERIMENTS:
        if candidate.name == name:
            return candidate
    message = f"unknown step {name!r}; choose from {', '.join(e.name for e in EXPERIMENTS)}"
    raise FpdriftError(message)
