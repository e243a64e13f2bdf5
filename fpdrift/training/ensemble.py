"""Several runs in a directory, one process after another; what is finished is not done again.

A run is trained under a temporary name and gets its own name, which says what defines it, once it
is complete. So a run that was killed leaves nothing that could be taken for a finished one.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fpdrift.checks import check_callable, whole
from fpdrift.errors import FpdriftError, shown
from fpdrift.process import check_timeout
from fpdrift.records import Record, open_record
from fpdrift.records.place import absolute
from fpdrift.results import Result
from fpdrift.training.condition import Condition
from fpdrift.training.data import check
from fpdrift.training.definition import Run
from fpdrift.training.networks import network_of
from fpdrift.training.run import MOST_STEPS, train

#: Held by the ensemble that is at work in a directory.
LOCK = "ensemble.lock"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ensemble(Result):
    """Finished runs that differ in their condition alone."""

    network: str
    data: str
    labels: str
    #: of each run
    steps: int
    conditions: tuple[Condition, ...]
    #: of the records, one for each condition, in the directory that was asked for
    names: tuple[str, ...]

    def records(self, directory: str | os.PathLike[str]) -> Iterator[Record]:
        """Open one record after another.

        Raises
        ------
        RecordError
            If one is gone, or damaged.
        """
        return (open_record(Path(directory, name)) for name in self.names)

    def __repr__(self) -> str:
        return (
            f"Ensemble({len(self.names)} runs, {self.network} on {self.data}, {self.steps} steps)"
        )


def ensemble(
    conditions: Iterable[Condition],
    *,
    network: str = "answer",
    data: str = "noise",
    labels: str = "one-hot",
    steps: int = 100,
    directory: str | os.PathLike[str],
    progress: Callable[[str, int, int], None] | None = None,
    timeout: float | None = None,
) -> Ensemble:
    """Train under each condition, unless its finished record lies in the directory already.

    Whether a record is that of the run asked for is seen by opening it: it has to be complete, and
    of the same condition, network, data, labels, steps, backend, code, libraries and processor. A
    condition that is given twice is run twice. After Ctrl-C, or worse, the same call goes on.

    Parameters
    ----------
    conditions : iterable of Condition
        One run each.
    network, data, labels, steps
        As for `fpdrift.train`.
    directory : str or os.PathLike
        Made if it is not there. One ensemble at a time works in it.
    progress : callable, optional
        Called with the run under way, its steps done and to do.
    timeout : float, optional
        Seconds after which a single run is ended.

    Returns
    -------
    Ensemble

    Raises
    ------
    FpdriftError
        Before anything is trained: if an argument is refused, if another ensemble is at work in the
        directory, or a file stands where a record belongs and is something else. It stays as it is.
    ChildError
        If a run fails, is killed or takes too long; the finished ones stay.
    """
    runs = _plan(conditions, network, data, labels, steps)
    check_callable("progress", progress)
    check_timeout(timeout)
    folder = _folder(directory)
    with _alone(folder):
        done = [run.is_done(folder) for run in runs]  # all, before anything is trained
        for i, run in enumerate(runs):
            label = f"run {i + 1} of {len(runs)}, {run.condition.name}"
            if not done[i]:
                _do(run, folder, label, progress, timeout)
            elif progress is not None:
                progress(label, run.steps, run.steps)
    return Ensemble(
        network=network,
        data=data,
        labels=labels,
        steps=runs[0].steps,
        conditions=tuple(run.condition for run in runs),
        names=tuple(run.name for run in runs),
    )


def _plan(conditions: Any, network: str, data: str, labels: str, steps: int) -> list[Run]:
    """Read what is to be run."""
    network_of(network)
    check(data, labels)
    steps = whole("steps", steps, 1, MOST_STEPS)
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    try:
        given = [] if isinstance(conditions, Condition) else list(conditions)
    except TypeError:
        given = []
    if not given or not all(isinstance(condition, Condition) for condition in given):
        message = f"conditions are several fpdrift.Condition, not {shown(conditions)}"
        raise FpdriftError(message)
    return [
        Run(condition, network, data, labels, steps, backend, given[: i + 1].count(condition))
        for i, condition in enumerate(given)
    ]


def _folder(directory: Any) -> Path:
    folder = absolute(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot make the folder {shown(str(folder))}: {error.strerror}; choose another"
        raise FpdriftError(message) from None
    return folder


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other ensembles out; however this process dies, the system takes the lock back."""
    try:
        # SQLite locks a file alike on every system; nothing is ever written to it.
        lock = sqlite3.connect(folder / LOCK, isolation_level=None, timeout=0)
        with closing(lock):
            lock.execute("BEGIN EXCLUSIVE")
            yield
    except sqlite3.Error as error:
        why = f"{shown(LOCK)} in {shown(folder.name)} cannot be locked: {error}"
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            why = f"another ensemble is at work in {shown(folder.name)}"
        message = f"{why}; wait until it is done, or choose another directory"
        raise FpdriftError(message) from None


def _do(
    run: Run,
    folder: Path,
    label: str,
    progress: Callable[[str, int, int], None] | None,
    timeout: float | None,
) -> None:
    """Train under a name that no other process has, look at what came out, then name it."""
    _tidy(run, folder)
    draft = folder / f"{run.stem}.unfinished-{secrets.token_hex(4)}"
    try:
        record = train(
            run.condition,
            run.network,
            run.data,
            steps=run.steps,
            labels=run.labels,
            path=draft,
            timeout=timeout,
            progress=progress and (lambda done, total: progress(label, done, total)),
        )
        other = run.differing(record)
        if other:
            message = f"{label}: {', '.join(other)} changed while it was trained; start again"
            raise FpdriftError(message)
        run.is_done(folder)  # nobody else's file may have come there meanwhile
        draft.replace(folder / run.name)
    finally:
        _tidy(run, folder)


def _tidy(run: Run, folder: Path) -> None:
    """Take away what runs that were killed have left."""
    for left in folder.iterdir():
        if left.name.startswith(f"{run.stem}.unfinished-"):
            with suppress(OSError):  # held by a process that is still dying: the next run will
                left.unlink()
