"""Named numbers, row after row, in little more memory than the file took to say them.

A dict a row would take sixteen times as much as its JSON, so a file of a few megabytes that anybody
made could fill the memory before its end is reached and refused.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

#: Different names in one record, such as those of its metrics.
MAX_NAMES = 1000


class Columns:
    """Rows of named numbers; a row need not have every name."""

    def __init__(self) -> None:
        self._place: dict[str, int] = {}
        self._lengths = array("I")
        self._names = array("H")
        self._values = array("d")

    def add(self, row: Mapping[str, float]) -> None:
        """Add a row.

        Raises
        ------
        ValueError
            If there would be more than `MAX_NAMES` names.
        """
        self._lengths.append(len(row))
        for name, value in row.items():
            place = self._place.setdefault(name, len(self._place))
            if place >= MAX_NAMES:
                message = f"more than {MAX_NAMES} metrics or figures of epochs"
                raise ValueError(message)
            self._names.append(place)
            self._values.append(value)

    def columns(self) -> dict[str, npt.NDArray[np.float64]]:
        """Give one array a name, (rows,) each, NaN where a row has no such name."""
        names, rows = len(self._place), len(self._lengths)
        table = np.full((names, rows), np.nan)
        table[self._names, np.repeat(np.arange(rows), self._lengths)] = self._values
        return dict(zip(self._place, table, strict=True))

    def rows(self) -> tuple[dict[str, float], ...]:
        """Give every row as it was added."""
        numbers = zip(self._names, self._values, strict=True)
        names = list(self._place)
        return tuple(
            {names[place]: value for place, value in (next(numbers) for _ in range(length))}
            for length in self._lengths
        )
