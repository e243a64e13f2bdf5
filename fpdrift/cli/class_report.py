"""``fpdrift class``: which records of a folder have equal bits, and where the others diverged.

With --anonymous no name is shown. A record's `meta` may hold anything, such as a student's name, so
facts are not searched for names: only facts that fpdrift itself writes are kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpdrift import provenance
from fpdrift.cli.options import add_output, add_trust, check_output, deliver
from fpdrift.comparison import compare_many
from fpdrift.comparison._many import OTHER_MODEL, OTHER_START
from fpdrift.comparison._metadata import UNKNOWN
from fpdrift.errors import FpdriftError
from fpdrift.perturbation import Perturbation
from fpdrift.records._format import MAX_BYTES
from fpdrift.training import Condition
from fpdrift.training._datasets import DATA
from fpdrift.training._networks import NETWORKS

if TYPE_CHECKING:
    import argparse

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
#: Facts that are names, kept where all of them are fpdrift's own.
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
    """Return a key that sorts files by their content, so that their order reveals no name.

    Without `trust` large files are not opened and need no key.
    """
    try:
        if not path.is_file() or (not trust and path.stat().st_size > MAX_BYTES):
            return b""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()
    except OSError:  # an unreadable file is skipped later, with the reason
        return b""


def _kind(why: str) -> str:
    """Describe why a file is skipped, without any text of the file."""
    kinds = (kind for kind in (OTHER_MODEL, OTHER_START) if why.startswith(f"{kind}: "))
    return next(kinds, "not a complete record")


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "class",
        help="compare all records of a folder, such as a class's",
        description="Group the records of a folder by equal bits, in the tensors that all have. "
        "Files that cannot be read, or whose model differs from most, are skipped and listed.",
        allow_abbrev=False,
    )
    command.add_argument("folder", type=Path, metavar="DIR")
    command.add_argument(
        "--anonymous",
        action="store_true",
        help="number the records in an order unrelated to their names; show no personal data",
    )
    add_trust(command)
    add_output(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare; return the exit code."""
    check_output(arguments)
    try:
        paths = sorted(arguments.folder.glob("*.fpdrift"))
        there = arguments.folder.is_dir()
    except OSError:
        there, paths = False, []
    if not paths:
        why = "contains no *.fpdrift file" if there else "is not a readable folder"
        message = f"{arguments.folder} {why}; name the folder with the records"
        raise FpdriftError(message)
    compared = _nameless if arguments.anonymous else compare_many
    return deliver(compared(paths, trust=arguments.trust), arguments)


def _nameless(paths: list[Path], *, trust: bool) -> ManyRuns:
    in_order = sorted(paths, key=lambda path: by_content(path, trust=trust))
    try:
        return anonymous(compare_many(in_order, trust=trust))
    except FpdriftError:  # it names a file
        message = "no record can be compared; run without --anonymous to see why"
        raise FpdriftError(message) from None
