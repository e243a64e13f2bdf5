"""A class without names: what is told of its runs is what fpdrift itself writes into a record.

A record's `meta` may hold anything, a student's name among it. So facts are not searched for names:
only those that are known to hold none are told.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from fpdrift import provenance
from fpdrift.drift.circumstances import UNKNOWN
from fpdrift.drift.many import OTHER_MODEL, OTHER_START
from fpdrift.perturbation import Perturbation
from fpdrift.records.schema import MAX_BYTES
from fpdrift.training.condition import Condition
from fpdrift.training.data import DATA
from fpdrift.training.networks import NETWORKS

if TYPE_CHECKING:
    from pathlib import Path

    from fpdrift.drift import ManyRuns

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
#: Facts that are names, told where all of them are fpdrift's own.
_NAMES = {"network": {*NETWORKS, UNKNOWN}, "data.name": {*DATA, UNKNOWN}}


def anonymous(result: ManyRuns) -> ManyRuns:
    """Take the names of files away, and every fact that may hold a person's."""
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
    """Give a file's place among others that tells nothing of its name, and is always the same.

    Without `trust` large files are not opened, so need no place.
    """
    try:
        if not path.is_file() or (not trust and path.stat().st_size > MAX_BYTES):
            return b""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()
    except OSError:  # what cannot be read is left out, and told of there
        return b""


def _kind(why: str) -> str:
    """Tell what is wrong with a file in words that hold nothing of the file."""
    kinds = (kind for kind in (OTHER_MODEL, OTHER_START) if why.startswith(f"{kind}: "))
    return next(kinds, "no whole record")
