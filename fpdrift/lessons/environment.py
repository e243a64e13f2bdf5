"""What a student's machine has, and what the lessons will leave out on it."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib import metadata

from fpdrift.lessons.live import can_train
from fpdrift.provenance import available_cores
from fpdrift.results import Result

#: What lessons use, and for what.
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
    #: what will be left out or shown otherwise, a sentence each
    left_out: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Environment({self.cores} cores, {len(self.left_out)} things left out)"


def environment() -> Environment:
    """Look at this machine."""
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
            "No JupyterLab: open the notebooks with another program, or type: "
            "pip install 'fpdrift[lessons]'."
        )
    if versions["ipywidgets"] is None:
        said.append(
            "No ipywidgets: lesson 00 shows its float, and lesson 01 its orders, as text, "
            "without bits to click and without a field to type into."
        )
    if not trains:
        said.append(
            "No TensorFlow: lesson 08 cannot be run, 09 and 10 show recorded runs alone; "
            "pip install 'fpdrift[cnn]' brings it."
        )
    if cores == 1:
        said.append(
            "One core: threads may arrive in turn, so lesson 04 may show no difference; it says so."
        )
    return said


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
