"""How long a step takes, for each run of an ensemble, kept beside the records."""

from __future__ import annotations

import json
import statistics
import time
from typing import TYPE_CHECKING

from fpdrift import atomic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: The first steps trace and compile.
_WARM = 5


class Stopwatch:
    """A progress report that keeps the median time from one step to the next.

    A run that was finished before reports its end alone: what was kept of it stays.

    Parameters
    ----------
    place : pathlib.Path
        JSON file, label of the run -> seconds.
    report : callable
        Called with (label, done, total), as it is itself.
    """

    def __init__(self, place: Path, report: Callable[[str, int, int], None]) -> None:
        self._place = place
        self._report = report
        self._times: list[float] = []

    def __call__(self, label: str, done: int, total: int) -> None:
        """Note the time of a step."""
        if done == 1:
            self._times = []
        self._times.append(time.perf_counter())
        if done == total == len(self._times) > _WARM + 1:
            steps = [b - a for a, b in zip(self._times, self._times[1:], strict=False)][_WARM:]
            kept = json.dumps(self.seconds | {label: statistics.median(steps)})
            atomic.write(self._place, kept)
        self._report(label, done, total)

    @property
    def seconds(self) -> dict[str, float]:
        """Median seconds of a step, by the label of the run."""
        try:
            kept = json.loads(self._place.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(kept, dict):
            return {}
        return {label: value for label, value in kept.items() if isinstance(value, float)}
