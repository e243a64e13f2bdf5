"""The three small trainings that lessons 08 to 10 look at: done once, then read again."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from fpdrift.lessons.pace import size

if TYPE_CHECKING:
    from fpdrift.records import Record

#: Where the records go, beside the notebook.
FOLDER = Path("fpdrift-out") / "lessons"
#: Training steps of a run, and of one in the small size.
STEPS = 100, 8


def can_train() -> bool:
    """Say whether TensorFlow and Keras are here."""
    return all(importlib.util.find_spec(name) is not None for name in ("tensorflow", "keras"))


def train_three(seed: int = 1) -> dict[str, Record]:
    """Train one network with one thread, with one again, and with two, each in a fresh process.

    Raises
    ------
    MissingExtraError
        If TensorFlow is not installed.
    """
    from fpdrift.training import Condition
    from fpdrift.training.ensemble import ensemble

    one = Condition(intra_op_threads=1, seed=seed)
    runs = {"1 thread": one, "1 thread again": one}
    runs["2 threads"] = Condition(intra_op_threads=2, seed=seed)
    done = ensemble(runs.values(), steps=size(*STEPS), directory=FOLDER)
    return dict(zip(runs, done.records(FOLDER), strict=True))
