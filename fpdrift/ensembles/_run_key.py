"""What defines a run, and whether a file is the record of just that one.

What was asked for (condition, network, data, labels, steps, backend, and the part of fpdrift's own
code that decides a training) is known beforehand; on which machine a worker does it is known from
the record that comes back. So a record's name has a digest of each. A run that this process does
itself is done when the record of this very machine exists; one that any worker may do, when a
record of any machine does.
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

#: Of what made a record: what the machine brought.
_MACHINE = ("python", "system", "cpu", "cpu_features", "cores", "packages")


#: In the name of a record that is not finished: after its stem.
DRAFT = ".unfinished-"


@dataclass(frozen=True, slots=True)
class Run:
    """What defines a run."""

    condition: Condition
    network: str
    data: str
    labels: str
    steps: int
    #: where the condition names none
    backend: str
    #: 1, or more where the same condition was given before
    time: int
    #: whether any machine may do it, or this one alone
    anywhere: bool = False

    @property
    def definition(self) -> dict[str, Any]:
        """As it stands in the run's record."""
        machine = () if self.anywhere else _MACHINE
        return self._asked() | _part(current(), machine)

    @property
    def stem(self) -> str:
        """Readable words, and a digest of what was asked for."""
        words = (self.condition.file_name[:60], self.network, self.data, self.labels)
        again = () if self.time == 1 else (f"time-{self.time}",)
        return "-".join((*words, f"{self.steps}-steps", *again, _digest(self._asked(), 6)))

    def name_on(self, machine: Provenance) -> str:
        """Return the name of the finished record of that machine."""
        return f"{self.stem}-{_digest(_part(machine, _MACHINE), 4)}.fpdrift"

    def finished(self, folder: Path, there: Iterable[str]) -> str | None:
        """Find the finished record among the run's names; of several machines' the first one.

        Raises
        ------
        FpdriftError
            If something else has its name.
        """
        names = [self.name_on(current())]
        if self.anywhere:
            names = sorted(name for name in there if name.endswith(".fpdrift"))
        return next((name for name in names if self.is_done(folder / name)), None)

    def is_done(self, place: Path) -> bool:
        """Return whether the finished record is there.

        Raises
        ------
        FpdriftError
            If something else is.
        """
        if not os.path.lexists(place):
            return False
        folder = short_repr(place.parent.name)
        try:
            record = open_own(place)
        except RecordError as error:
            message = f"{error} (or move it out of {folder}, and the run is done again)"
            raise FpdriftError(message) from None
        other = self.differing(record)
        if not other and place.name != self.name_on(record.provenance):
            other = ["machine"]
        if other:
            message = (
                f"{short_repr(place.name)} is the record of another run ({', '.join(other)}: "
                f"not what its name says); move it out of {folder}"
            )
            raise FpdriftError(message)
        return self.is_whole(record)

    def is_whole(self, record: Record) -> bool:
        """Return whether a record goes to the end of the run."""
        return record.complete and record.steps[-1:].tolist() == [self.steps]

    def differing(self, record: Record) -> list[str]:
        """Name what is not as asked for in a record."""
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
        # as text: a record holds lists where we have tuples, and 1 is not True
        return [
            name
            for name, value in self.definition.items()
            if json.dumps(value, sort_keys=True) != json.dumps(found[name], sort_keys=True)
        ]

    def _asked(self) -> dict[str, Any]:
        return {
            "condition": self.condition.to_dict(),
            "network": self.network,
            "data": {"name": self.data, "labels": self.labels},
            "steps": self.steps,
            "backend": self.condition.backend or self.backend,
            "code": training_code(),
        }


def by_stem(folder: Path) -> defaultdict[str, list[str]]:
    """List a folder, once for all runs: a run's stem -> the names of its records and drafts."""
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
