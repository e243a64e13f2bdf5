"""Progress for whatever takes over a second: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress, TaskID

    Report = Callable[[str, int, int], None]


@contextmanager
def reporting(label: int = 32) -> Iterator[Report]:
    """Give a function to report (what, done, total) to; on leaving, the terminal is as before.

    What is reported takes `label` columns, and the bar what is left.
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
        yield _Bar(progress)


class _Bar:
    """One bar that changes its label; it begins anew where what is done does."""

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
    """One line when something new begins."""

    def __init__(self) -> None:
        self._label = ""

    def __call__(self, label: str, done: int, total: int) -> None:  # noqa: ARG002 - as _Bar's
        if label != self._label:
            self._label = label
            print(f"  {label} ...", file=sys.stderr, flush=True)
