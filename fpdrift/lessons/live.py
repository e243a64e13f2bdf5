"""The three small trainings that lessons 08 to 10 look at: done once, then read again."""

from __future__ import annotations

import atexit
import importlib.util
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fpdrift.lessons.pace import size

if TYPE_CHECKING:
    from fpdrift.records import Record

#: Where the records go, beside the notebook; where nothing can be written there, into a copy.
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
    from fpdrift.training.workers import few, workers_here

    one = Condition(intra_op_threads=1, seed=seed)
    runs = {"1 thread": one, "1 thread again": one}
    runs["2 threads"] = Condition(intra_op_threads=2, seed=seed)
    folder = FOLDER if _can_write(FOLDER) else _copy(FOLDER)
    with workers_here(few()) as executor:
        done = ensemble(runs.values(), steps=size(*STEPS), directory=folder, executor=executor)
    return dict(zip(runs, done.records(folder), strict=True))


def _can_write(folder: Path) -> bool:
    """Try it: permissions do not tell what a read-only or a foreign file system does."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@cache
def _copy(folder: Path) -> Path:
    """Copy what is there to a place that lasts as long as this notebook's kernel."""
    passing = Path(tempfile.mkdtemp(prefix="fpdrift-"))
    atexit.register(shutil.rmtree, passing, ignore_errors=True)
    if folder.is_dir():
        shutil.copytree(folder, passing, dirs_exist_ok=True)
    return passing
