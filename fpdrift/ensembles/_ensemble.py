"""Train several runs into a directory, locally or on workers, skipping those already finished.

A run is trained under a temporary name. Once complete, it gets its final name, which identifies its
settings, so a killed run leaves nothing that could be mistaken for a finished one.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fpdrift.ensembles._run_key import Run, by_stem
from fpdrift.ensembles._scheduler import Attempts, one_line
from fpdrift.errors import ChildError, FpdriftError, short_repr
from fpdrift.records import Record, open_own
from fpdrift.records._sandbox import absolute
from fpdrift.serialization import Result
from fpdrift.subprocesses import check_timeout
from fpdrift.training import Condition
from fpdrift.training._datasets import check
from fpdrift.training._network_names import recorded_name
from fpdrift.training._train import MOST_STEPS
from fpdrift.validation import check_callable, check_int

#: Lock file of the ensemble that is running in a directory.
LOCK = "ensemble.lock"
MOST_TRIES = 100
#: Number of failed runs that an error message describes.
_DESCRIBED = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Ensemble(Result):
    """Finished runs that differ only in their condition."""

    network: str
    data: str
    labels: str
    #: number of steps of each run
    steps: int
    conditions: tuple[Condition, ...]
    #: file names of the records in the directory, one for each condition
    names: tuple[str, ...]

    def records(self, directory: str | os.PathLike[str]) -> Iterator[Record]:
        """Open one record after another.

        Raises
        ------
        RecordError
            If a record is missing or damaged.
        """
        return (open_own(Path(directory, name)) for name in self.names)

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
    executor: Executor | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    timeout: float | None = None,
    tries: int = 2,
) -> Ensemble:
    """Train one run per condition, unless its finished record already exists in the directory.

    An existing record is opened and checked: it must be complete, and have the same condition,
    network, data, labels, steps, backend and code. A condition that is given twice is run twice.
    After an interruption, such as Ctrl-C, the same call resumes.

    Without an executor or with threads, the machine (processor, system, versions of Python and
    libraries) is part of the run: a record from a different machine belongs to a different run and
    is kept beside this one. With other executors, workers may run on any machine: a finished record
    from any machine counts, and its provenance and the end of its name identify the machine.

    Parameters
    ----------
    conditions : iterable of Condition
        One run each.
    network, data, labels, steps
        As for `fpdrift.train`.
    directory : str or os.PathLike
        Created if it does not exist. Only one ensemble at a time can use it.
    executor : concurrent.futures.Executor, optional
        Executor whose workers train: a ``ThreadPoolExecutor`` (sufficient on one machine, since
        each run has its own process), a ``ProcessPoolExecutor`` that spawns, Dask's
        ``Client.get_executor()``, or any other. Without one, runs are trained one after another.
        Workers other than threads send back the bytes of the records; they need fpdrift, but no
        shared disk.
    progress : callable, optional
        Called with a description of a run, its number of steps done and the total. With an
        executor, it is called at step 0 when the run is submitted and at the end; with threads,
        also every second.
    timeout : float, optional
        Time limit in seconds for a single run. With an executor, if no worker sends anything for a
        minute longer than that, its runs count as lost (a failed try).
    tries : int, default 2
        Number of times to try a run, 1 to 100.

    Returns
    -------
    Ensemble

    Raises
    ------
    FpdriftError
        Before training: if an argument is invalid, another ensemble is running in the directory, or
        a file with the name of a record is something else (it is not modified). During training: if
        a run is not possible at all, or a worker has a different version of fpdrift.
    ChildError
        If a run failed, was killed or exceeded the time limit at every try. The other runs are
        finished first.

    Warns
    -----
    FpdriftWarning
        If a process pool broke and the remaining runs were trained one after another.
    """
    _check_executor(executor)
    runs = _plan(conditions, network, data, labels, steps, anywhere=_may_be_remote(executor))
    check_callable("progress", progress)
    check_timeout(timeout)
    tries = check_int("tries", tries, 1, MOST_TRIES)
    labels_of = {
        run: f"run {i} of {len(runs)}, {run.condition.name}" for i, run in enumerate(runs, 1)
    }

    def report(run: Run, done: int) -> None:
        if progress is not None:
            progress(labels_of[run], done, run.steps)

    folder = _make_folder(directory)
    with _locked(folder):
        work = Attempts(folder=folder, tries=tries, timeout=timeout, report=report)
        _train(work, runs, executor)
    if work.failures:
        raise _failure(work, labels_of)
    return Ensemble(
        network=runs[0].network,
        data=data,
        labels=labels,
        steps=runs[0].steps,
        conditions=tuple(run.condition for run in runs),
        names=tuple(work.names[run] for run in runs),
    )


def _train(work: Attempts, runs: list[Run], executor: Executor | None) -> None:
    """Check all existing records before training, then train the missing ones."""
    existing = by_stem(work.folder)
    for run in runs:
        name = run.finished(work.folder, existing[run.stem])
        if name is not None:
            work.names[run] = name
        work.tidy(existing[run.stem])
    for run in work.names:
        work.report(run, run.steps)
    left = [run for run in runs if run not in work.names]
    if executor is None:
        work.run_serially(left)
    else:
        work.run_on_executor(left, executor)


def _failure(work: Attempts, labels: dict[Run, str]) -> ChildError:
    why = work.failures
    failed = [f"{label}: {one_line(why[run])}" for run, label in labels.items() if run in why]
    more = [f"and {len(failed) - _DESCRIBED} more"] if len(failed) > _DESCRIBED else []
    tried = "once" if work.tries == 1 else f"{work.tries} times"
    return ChildError(
        f"{len(failed)} of {len(labels)} runs failed, tried {tried}: "
        f"{'; '.join([*failed[:_DESCRIBED], *more])}; the others are finished; repeat the same "
        "call to resume"
    )


def _check_executor(executor: Any) -> None:
    if not isinstance(executor, Executor | None):
        message = (
            f"executor is {short_repr(executor)}; pass a concurrent.futures.Executor "
            "(Dask: Client.get_executor()) or None"
        )
        raise FpdriftError(message)


def _may_be_remote(executor: Executor | None) -> bool:
    """Return whether the workers may run on other machines; threads belong to this process."""
    return executor is not None and not isinstance(executor, ThreadPoolExecutor)


def _plan(
    conditions: Any, network: str, data: str, labels: str, steps: int, *, anywhere: bool
) -> list[Run]:
    """Check the arguments and return the runs."""
    network = recorded_name(network)
    check(data, labels)
    steps = check_int("steps", steps, 1, MOST_STEPS)
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    try:
        given = [] if isinstance(conditions, Condition) else list(conditions)
    except TypeError:
        given = []
    if not given or not all(isinstance(condition, Condition) for condition in given):
        message = (
            f"conditions is {short_repr(conditions)}; pass several fpdrift.Condition, at least one"
        )
        raise FpdriftError(message)
    times: Counter[Condition] = Counter()
    runs = []
    for condition in given:
        times[condition] += 1
        time = times[condition]
        runs.append(Run(condition, network, data, labels, steps, backend, time, anywhere))
    return runs


def _make_folder(directory: Any) -> Path:
    folder = absolute(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = (
            f"cannot create the folder {short_repr(str(folder))}: {error.strerror}; choose another"
        )
        raise FpdriftError(message) from None
    return folder


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock a folder against other ensembles; the system releases the lock if the process dies."""
    with ExitStack() as held:
        try:
            # SQLite locks files in the same way on every system; nothing is ever written
            lock = sqlite3.connect(folder / LOCK, isolation_level=None, timeout=0)
            held.callback(lock.close)
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            why = f"{short_repr(LOCK)} in {short_repr(folder.name)} cannot be locked: {error}"
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                why = f"another ensemble is running in {short_repr(folder.name)}"
            message = f"{why}; wait until it has finished, or choose another directory"
            raise FpdriftError(message) from None
        yield
