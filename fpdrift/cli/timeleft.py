"""Progress of many runs as one: how much of all is done, and how long the rest will take."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fpdrift.cli.progress import Report

#: Seconds before which a guess would be worth nothing.
_SOON = 2.0


class TimeLeft:
    """Turn reports on single runs into reports on all of them.

    Parameters
    ----------
    report : callable
        Told what is under way, with the time left where it can be told, and steps done and to do.
    runs : int
        How many runs there are, all equally long.
    every : float
        Seconds after which the time left is told anew; it always is when a run begins or ends.
    clock : callable
        Gives seconds.
    """

    def __init__(
        self,
        report: Report,
        runs: int,
        every: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._report = report
        self._runs = runs
        self._every = every
        self._clock = clock
        self._done: dict[str, int] = {}
        self._whole: set[str] = set()
        #: steps that an earlier call did
        self._before = 0
        self._begun: float | None = None
        self._spread = False
        self._told = ("", 0.0, "")

    def __call__(self, label: str, done: int, total: int) -> None:
        """Take a report of one run; one that is whole at its first was there before."""
        if self._begun is None and done < total:
            self._begun = self._clock()
        elif self._begun is None:
            self._before += total
        self._spread |= done == 0
        self._done[label] = done
        if done == total:
            self._whole.add(label)
        what = f"{self.finished()} of {self._runs} runs done" if self._spread else label
        all_done, of = sum(self._done.values()), self._runs * total
        self._report(f"{self._left(what, all_done, of)}{what}", all_done, of)

    def finished(self) -> int:
        """Count the runs that are done."""
        return len(self._whole)

    def _left(self, what: str, done: int, of: int) -> str:
        if self._begun is None:
            return ""
        now = self._clock()
        before, told, text = self._told
        if what == before and now < told + self._every:
            return text
        new, passed = done - self._before, now - self._begun
        known = new > 0 and done < of and passed >= _SOON
        text = f"{duration(passed / new * (of - done))} left: " if known else ""
        self._told = (what, now, text)
        return text


def duration(seconds: float) -> str:
    """Write a time as roughly as one can know it beforehand."""
    for unit, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 1.5 * unit:
            return f"about {seconds / unit:.0f} {name}"
    return f"about {max(10 * round(seconds / 10), 10)} s"
