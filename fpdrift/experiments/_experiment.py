"""What an experiment is, and how a study is entered where it is defined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from fpdrift.experiments._runs import Settings
    from fpdrift.serialization import Result

    Run = TypeVar("Run", bound=Callable[[Settings], Any])


@dataclass(frozen=True, slots=True)
class Experiment:
    """One study."""

    name: str
    #: ids of the source's claims that it measures
    claims: tuple[str, ...]
    #: number of the lesson that tells it
    lesson: str
    #: what it does, in one line
    summary: str
    run: Callable[[Settings], Result | Any]
    #: whether it can be told how many epochs to train for
    epochs: bool = False
    #: whether its runs are timed, so that each has the machine to itself
    timed: bool = False


#: Name -> what was entered with `as_study`.
entered: dict[str, Experiment] = {}


def as_study(
    name: str,
    claims: tuple[str, ...],
    lesson: str,
    summary: str,
    *,
    epochs: bool = False,
    timed: bool = False,
) -> Callable[[Run], Run]:
    """Enter the function below as a study; the arguments are the fields of `Experiment`."""

    def enter(run: Run) -> Run:
        entered[name] = Experiment(name, claims, lesson, summary, run, epochs, timed)
        return run

    return enter
