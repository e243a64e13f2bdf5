"""What defines a run, and whether a file is the record of just that one."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fpdrift.errors import FpdriftError, RecordError, shown
from fpdrift.provenance import Provenance, current
from fpdrift.records import Record, open_record
from fpdrift.training.condition import Condition

#: What two machines, or two versions of a library, may have different.
_MACHINE = ("fpdrift", "code", "python", "system", "cpu", "cpu_features", "cores", "packages")


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

    @property
    def definition(self) -> dict[str, Any]:
        """As it stands in the run's record."""
        return _definition(
            self.condition.to_dict(),
            self.network,
            {"name": self.data, "labels": self.labels},
            self.steps,
            self.condition.backend or self.backend,
            current(),
        )

    @property
    def stem(self) -> str:
        """Readable words, and a digest of the definition."""
        words = (self.condition.file_name[:60], self.network, self.data, self.labels)
        text = json.dumps(self.definition, sort_keys=True)
        digest = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
        again = () if self.time == 1 else (f"time-{self.time}",)
        return "-".join((*words, f"{self.steps}-steps", *again, digest))

    @property
    def name(self) -> str:
        """Of the finished record."""
        return f"{self.stem}.fpdrift"

    def is_done(self, folder: Path) -> bool:
        """Tell whether the finished record is there.

        Raises
        ------
        FpdriftError
            If something else is.
        """
        place = folder / self.name
        if not os.path.lexists(place):
            return False
        try:
            record = open_record(place)
        except RecordError as error:
            message = f"{error} (or move it out of {shown(folder.name)}, and the run is done again)"
            raise FpdriftError(message) from None
        other = self.differing(record)
        if other:
            message = (
                f"{shown(self.name)} is the record of another run ({', '.join(other)}: not what "
                f"its name says); move it out of {shown(folder.name)}"
            )
            raise FpdriftError(message)
        return record.complete and record.steps[-1:].tolist() == [self.steps]

    def differing(self, record: Record) -> list[str]:
        """Name what is not as asked for in a record."""
        data = record.meta.get("data")
        found = _definition(
            record.meta.get("condition"),
            record.meta.get("network"),
            {key: data.get(key) for key in ("name", "labels")} if isinstance(data, dict) else data,
            record.meta.get("steps"),
            record.meta.get("backend"),
            record.provenance,
        )
        # as text: a record holds lists where we have tuples, and 1 is not True
        return [
            name
            for name, value in self.definition.items()
            if json.dumps(value, sort_keys=True) != json.dumps(found[name], sort_keys=True)
        ]


def _definition(
    condition: Any, network: Any, data: Any, steps: Any, backend: Any, machine: Provenance
) -> dict[str, Any]:
    made_by = machine.to_dict()
    return {
        "condition": condition,
        "network": network,
        "data": data,
        "steps": steps,
        "backend": backend,
        **{name: made_by[name] for name in _MACHINE},
    }
