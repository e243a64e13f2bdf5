"""Define the identity of a run, and check whether a file is the record of that run.

The settings (condition, network, data, labels, steps, backend, and the part of fpdrift's code that
affects training) are known in advance; the machine that a worker uses is known only from the
record. So the name of a record contains a digest of each. A run trained by this process is finished
if a record from this machine exists; a run for any worker, if a record from any machine does.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fpdrift.errors import FpdriftError, RecordError, short_repr
from fpdrift.provenance import Provenance, current
from fpdrift.records import Record, open_own
from fpdrift.training import Condition
from fpdrift.training._source_digest import training_code

#: The parts of a record's provenance that describe the machine.
_MACHINE = ("python", "system", "cpu", "cpu_features", "cores", "packages")


#: Follows the stem in the name of an unfinished record.
DRAFT = ".unfinished-"


@dataclass(frozen=True, slots=True)
class Run:
    """The settings that identify a run."""

    condition: Condition
    network: str
    data: str
    labels: str
    steps: int
    #: used if the condition does not name one
    backend: str
    #: 1, or higher if the same condition occurs several times
    time: int
    #: whether any machine may train it, or only this one
    anywhere: bool = False

    @property
    def definition(self) -> dict[str, Any]:
        """The identity of the run, as in its record."""
        machine = () if self.anywhere else _MACHINE
        return self._settings() | _part(current(), machine)

    @property
    def stem(self) -> str:
        """File name stem: readable words and a digest of the settings."""
        words = (self.condition.file_name[:60], self.network, self.data, self.labels)
        again = () if self.time == 1 else (f"time-{self.time}",)
        return "-".join((*words, f"{self.steps}-steps", *again, _digest(self._settings(), 6)))

    def name_on(self, machine: Provenance) -> str:
        """Return the name of the finished record from a machine."""
        return f"{self.stem}-{_digest(_part(machine, _MACHINE), 4)}.fpdrift"

    def finished(self, folder: Path, existing: Iterable[str]) -> str | None:
        """Return the name of the finished record, the first one if there are several.

        Raises
        ------
        FpdriftError
            If a file of that name is something else.
        """
        names = [self.name_on(current())]
        if self.anywhere:
            names = sorted(name for name in existing if name.endswith(".fpdrift"))
        return next((name for name in names if self.is_done(folder / name)), None)

    def is_done(self, place: Path) -> bool:
        """Return whether the finished record exists at a path.

        Raises
        ------
        FpdriftError
            If the file is something else.
        """
        if not os.path.lexists(place):
            return False
        folder = short_repr(place.parent.name)
        try:
            record = open_own(place)
        except RecordError as error:
            message = f"{error} (or move it out of {folder} to train the run again)"
            raise FpdriftError(message) from None
        other = self.differing(record)
        if not other and place.name != self.name_on(record.provenance):
            other = ["machine"]
        if other:
            message = (
                f"{short_repr(place.name)} is the record of a different run ({', '.join(other)}: "
                f"not as in its name); move it out of {folder}"
            )
            raise FpdriftError(message)
        return self.is_whole(record)

    def is_whole(self, record: Record) -> bool:
        """Return whether a record contains the whole run."""
        return record.complete and record.steps[-1:].tolist() == [self.steps]

    def differing(self, record: Record) -> list[str]:
        """Name the settings in which a record differs from this run."""
        data = record.meta.get("data")
        found = {
            "condition": record.meta.get("condition"),
            "network": record.meta.get("network"),
            "data": (
                {key: data.get(key) for key in ("name", "labels")}
                if isinstance(data, dict)
                else data
            ),
            "steps": record.meta.get("steps"),
            "backend": record.meta.get("backend"),
            "code": record.meta.get("training_code"),
        } | _part(record.provenance, _MACHINE)
        # as text, since records contain lists instead of tuples, and 1 must not equal True
        return [
            name
            for name, value in self.definition.items()
            if json.dumps(value, sort_keys=True) != json.dumps(found[name], sort_keys=True)
        ]

    def _settings(self) -> dict[str, Any]:
        return {
            "condition": self.condition.to_dict(),
            "network": self.network,
            "data": {"name": self.data, "labels": self.labels},
            "steps": self.steps,
            "backend": self.condition.backend or self.backend,
            "code": training_code(),
        }


def by_stem(folder: Path) -> defaultdict[str, list[str]]:
    """List a folder by run: stem -> names of its records and drafts."""
    found = defaultdict(list)
    for name in (path.name for path in folder.iterdir()):
        stem, is_draft, _ = name.partition(DRAFT)
        found[stem if is_draft else name.rpartition("-")[0]].append(name)
    return found


def _part(made_by: Provenance, names: tuple[str, ...]) -> dict[str, Any]:
    everything = made_by.to_dict()
    return {name: everything[name] for name in names}


def _digest(definition: dict[str, Any], size: int) -> str:
    text = json.dumps(definition, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()
