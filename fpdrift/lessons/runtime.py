"""What a lesson runs with: the size of its runs, the machine, and the libraries.

Runs have their full size unless ``FPDRIFT_FAST=1`` is set. Lessons 08 to 10 share three small
training runs, which are trained once and then read again. Every recorded figure shows the machine
on which it was recorded.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from fpdrift.provenance import available_cores
from fpdrift.serialization import Result

if TYPE_CHECKING:
    from fpdrift.records import Record


def fast() -> bool:
    """Return whether the lessons run in their small sizes."""
    return os.environ.get("FPDRIFT_FAST") == "1"


def size(whole: int, small: int) -> int:
    """Choose between a lesson's own size and the small one."""
    return small if fast() else whole


def machine(recorded: Result) -> str:
    """Name the processor and the cores that a recorded result comes from."""
    made_by = recorded.provenance
    return f"{made_by.cpu}, {made_by.cores} cores"


#: Folder for the records, next to the notebook; a temporary copy is used if it is read-only.
FOLDER = Path("fpdrift-out") / "lessons"
#: Training steps of a run, and of one in the small size.
STEPS = 100, 8


def can_train() -> bool:
    """Return whether TensorFlow and Keras are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("tensorflow", "keras"))


def train_three(seed: int = 1) -> dict[str, Record]:
    """Train one network with one thread, with one again, and with two, each in a fresh process.

    Raises
    ------
    MissingExtraError
        If TensorFlow is not installed.
    """
    from fpdrift.ensembles._ensemble import ensemble
    from fpdrift.ensembles._scheduler import few, workers_here
    from fpdrift.training import Condition

    one = Condition(intra_op_threads=1, seed=seed)
    runs = {"1 thread": one, "1 thread again": one}
    runs["2 threads"] = Condition(intra_op_threads=2, seed=seed)
    folder = FOLDER if _can_write(FOLDER) else _copy(FOLDER)
    with workers_here(few()) as executor:
        done = ensemble(runs.values(), steps=size(*STEPS), directory=folder, executor=executor)
    return dict(zip(runs, done.records(folder), strict=True))


def _can_write(folder: Path) -> bool:
    """Try it: permissions do not show whether a file system is read-only or foreign."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@cache
def _copy(folder: Path) -> Path:
    """Copy existing records to a folder that lasts as long as this notebook's kernel."""
    passing = Path(tempfile.mkdtemp(prefix="fpdrift-"))
    atexit.register(shutil.rmtree, passing, ignore_errors=True)
    if folder.is_dir():
        shutil.copytree(folder, passing, dirs_exist_ok=True)
    return passing


#: Libraries that the lessons use, and their purpose.
USES = {
    "numpy": "all lessons",
    "matplotlib": "their pictures",
    "jupyterlab": "opening them",
    "ipywidgets": "bits to click",
    "tensorflow": "training",
    "keras": "training",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment(Result):
    """Versions, cores, and what follows from them."""

    python: str
    system: str
    #: processors this process may use
    cores: int
    #: library -> its version; None where it is not installed
    versions: dict[str, str | None]
    #: what will be skipped or shown differently, one sentence each
    left_out: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Environment({self.cores} cores, {len(self.left_out)} things left out)"


def environment() -> Environment:
    """Inspect this machine."""
    versions = {name: _version(name) for name in USES}
    cores = available_cores()
    return Environment(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        cores=cores,
        versions=versions,
        left_out=tuple(_left_out(versions, cores, trains=can_train())),
    )


def _left_out(versions: dict[str, str | None], cores: int, *, trains: bool) -> list[str]:
    said = []
    if versions["jupyterlab"] is None:
        said.append(
            "JupyterLab is not installed: open the notebooks in another program, or run: "
            "pip install 'fpdrift[lessons]'."
        )
    if versions["ipywidgets"] is None:
        said.append(
            "ipywidgets is not installed: lessons 00 and 01 show text instead of bits to click "
            "and a field to type into."
        )
    if not trains:
        said.append(
            "TensorFlow is not installed: lesson 08 cannot run, and 09 and 10 show only recorded "
            "runs. To install it, run: pip install 'fpdrift[cnn]'."
        )
    if cores == 1:
        said.append(
            "One core: threads may arrive in turn, so lesson 04 may show no difference. It says so."
        )
    return said


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
