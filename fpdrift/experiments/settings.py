"""What whoever starts an experiment may choose."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fpdrift.checks import whole
from fpdrift.errors import FpdriftError
from fpdrift.training.workers import MOST_WORKERS, few

if TYPE_CHECKING:
    from collections.abc import Callable

#: More steps than the source's long run (18,760) by far; a slip of the finger is caught here.
MOST_STEPS = 1_000_000
#: The question's own training stops after 200.
MOST_EPOCHS = 200


def _silent(label: str, done: int, total: int) -> None:
    """Report to nobody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One set of choices for all experiments; each takes what it needs.

    Raises
    ------
    FpdriftError
        If a number is out of its range.
    """

    seed: int = 1
    #: training steps
    steps: int = 100
    #: name of the training data
    data: str = "noise"
    #: epochs, of the studies that count in them; None leaves it to the study
    epochs: int | None = None
    #: in the source's size, where a study has two; it may take long
    full: bool = False
    #: folder for the records
    out: Path = Path("fpdrift-out")
    #: trainings at a time; each has its own process and threads
    workers: int = field(default_factory=few)
    #: called with (what is going on, done, total)
    progress: Callable[[str, int, int], None] = _silent

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**32:
            message = f"seed {self.seed} is out of range; choose one from 0 to {2**32 - 1}"
            raise FpdriftError(message)
        if self.epochs is not None and not 1 <= self.epochs <= MOST_EPOCHS:
            message = f"{self.epochs} epochs is out of range; choose from 1 to {MOST_EPOCHS}"
            raise FpdriftError(message)
        whole("workers", self.workers, 1, MOST_WORKERS)
        if not 1 <= self.steps <= MOST_STEPS:
            message = f"{self.steps} steps is out of range; choose from 1 to {MOST_STEPS:,}"
            raise FpdriftError(message)
