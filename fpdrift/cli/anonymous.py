"""A class's comparison without names.

A record's `meta` may hold anything, including a student's name. So facts are not searched for
names; only facts that fpdrift itself writes are shown.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from fpdrift import provenance
from fpdrift.comparison._many import OTHER_MODEL, OTHER_START
from fpdrift.comparison._metadata import UNKNOWN
from fpdrift.perturbation import Perturbation
from fpdrift.records._format import MAX_BYTES
from fpdrift.training import Condition
from fpdrift.training._datasets import DATA
from fpdrift.training._networks import NETWORKS

if TYPE_CHECKING:
    from pathlib import Path

    from fpdrift.comparison import ManyRuns

#: Facts that fpdrift's own runs have, by their names in `ManyRuns.differs`.
_FACTS = {
    *("complete", "first step", "last step", "loss kind", "starting weights", "initial_weights"),
    *("seed", "steps", "batch_size", "backend", "data.labels", "data.hash", "training_code"),
    *("probe.images", "probe.hash", "keras.backend", "keras.dtype_policy"),
    *("keras.trainable_parameters", "keras.steps_per_execution", "keras.jit_compile"),
    *(f"condition.{field.name}" for field in fields(Condition)),
    *(f"condition.perturbation.{field.name}" for field in fields(Perturbation)),
    *(field.name for field in fields(provenance.Provenance)),
    *(f"packages.{name}" for name in provenance.PACKAGES),
    *(f"switches.{name}" for name in provenance.SWITCHES),
}
#: Facts that are names; shown if all of their values are fpdrift's own.
_NAMES = {"network": {*NETWORKS, UNKNOWN}, "data.name": {*DATA, UNKNOWN}}


def anonymous(result: ManyRuns) -> ManyRuns:
    """Remove the names of files, and every fact that may hold a person's name."""
    return replace(
        result,
        names=tuple(f"run {number}" for number in range(1, len(result.names) + 1)),
        left_out={
            f"file {number}": _kind(why) for number, why in enumerate(result.left_out.values(), 1)
        },
        differs={
            name: values
            for name, values in result.differs.items()
            if name in _FACTS or all(value in _NAMES.get(name, ()) for value in values)
        },
    )


def by_content(path: Path, *, trust: bool) -> bytes:
    """Return a key to sort files by that depends on the content alone, not on the name.

    Without `trust` large files are not opened, so their key is empty.
    """
    try:
        if not path.is_file() or (not trust and path.stat().st_size > MAX_BYTES):
            return b""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()
    except OSError:  # such a file is left out and reported later
        return b""


def _kind(why: str) -> str:
    """Describe what is wrong with a file in words that contain nothing of the file."""
    kinds = (kind for kind in (OTHER_MODEL, OTHER_START) if why.startswith(f"{kind}: "))
    return next(kinds, "not a complete record")
