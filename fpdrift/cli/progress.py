"""Progress of whatever takes over a second: a bar on a terminal, plain lines elsewhere.

The progress of many runs is shown as one: how much is done, and how long the rest will take.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress, TaskID

    Report = Callable[[str, int, int], None]


@contextmanager
def reporting(label: int = 32) -> Iterator[Report]:
    """Return a function that shows (label, done, total); on leaving, the terminal is as before.

    On a terminal there is a bar from the start, since the first report may take many seconds: a
    library is imported, a process started. The text takes `label` columns, the bar the rest.
    """
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn(f"  {{task.description:{label}.{label}}}"),
        BarColumn(bar_width=56 - label),
        TextColumn("{task.completed:>3.0f}/{task.total:<3.0f}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = _Bar(progress)
        bar("starting", 0, 1)
        yield bar


@contextmanager
def waiting(label: str) -> Iterator[None]:
    """Show on a terminal that something is under way that reports no progress."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{label} ..."):
        yield


class _Bar:
    """One bar that changes its label; it starts again where the count does."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._label = ""
        self._done = 0
        self._task: TaskID | None = None

    def __call__(self, label: str, done: int, total: int) -> None:
        if self._task is None or (label != self._label and done <= self._done):
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._task = self._progress.add_task(label, total=total)
        self._label, self._done = label, done
        self._progress.update(self._task, description=label, completed=done, total=total)


class _Lines:
    """One line for each new label."""

    def __init__(self) -> None:
        self._label = ""

    def __call__(self, label: str, done: int, total: int) -> None:  # noqa: ARG002 - as _Bar's
        if label != self._label:
            self._label = label
            print(f"  {label} ...", file=sys.stderr, flush=True)


#: Seconds before which an estimate would be worthless.
_SOON = 2.0


class TimeLeft:
    """Turn progress reports of single runs into reports of all runs.

    Parameters
    ----------
    report : callable
        Called with a label, which includes the time left where known, and steps done and to do.
    runs : int
        How many runs there are, all equally long.
    every : float
        Seconds between estimates of the time left; each start and end of a run updates it, too.
    clock : callable
        Returns seconds.
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
        #: steps done by an earlier call
        self._before = 0
        self._begun: float | None = None
        self._spread = False
        self._shown = ("", 0.0, "")

    def __call__(self, label: str, done: int, total: int) -> None:
        """Take a report of one run; a run complete at its first report was done earlier."""
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
        before, when, text = self._shown
        if what == before and now < when + self._every:
            return text
        new, passed = done - self._before, now - self._begun
        known = new > 0 and done < of and passed >= _SOON
        text = f"{duration(passed / new * (of - done))} left: " if known else ""
        self._shown = (what, now, text)
        return text


def duration(seconds: float) -> str:
    """Write a time as roughly as it can be estimated."""
    for unit, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 1.5 * unit:
            return f"about {seconds / unit:.0f} {name}"
    return f"about {max(10 * round(seconds / 10), 10)} s"
