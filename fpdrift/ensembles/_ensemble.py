"""Several runs in a directory, here or by any workers; what is finished is not done again.

A run is trained under a temporary name and gets its own name, which says what defines it, once it
is complete. So a run that was killed leaves nothing that could be taken for a finished one.
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

#: Held by the ensemble that is at work in a directory.
LOCK = "ensemble.lock"
MOST_TRIES = 100
#: Failed runs of which an error tells why.
_TOLD = 3


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
    """Train under each condition, unless its finished record lies in the directory already.

    Whether a record is that of the run asked for is seen by opening it: it has to be complete, and
    of the same condition, network, data, labels, steps, backend and code. A condition that is given
    twice is run twice. After Ctrl-C, or worse, the same call goes on.

    The machine (processor, system, versions of Python and libraries) belongs to what is asked for
    where all is done here, without an executor or by threads: then another machine's record is
    another run, and stays beside this one's. Other workers may be on any machine. A record's
    provenance and the end of its name then say which it was, and any machine's finished record
    counts as done.

    Parameters
    ----------
    conditions : iterable of Condition
        One run each.
    network, data, labels, steps
        As for `fpdrift.train`.
    directory : str or os.PathLike
        Made if it is not there. One ensemble at a time works in it.
    executor : concurrent.futures.Executor, optional
        Whose workers train: a ``ThreadPoolExecutor`` (enough on one machine, since each run has a
        process of its own), a ``ProcessPoolExecutor`` that spawns, Dask's
        ``Client.get_executor()``, or any other. Without one, runs are trained one after another.
        Workers but threads send the records' bytes; they need fpdrift, but no disk that is shared.
    progress : callable, optional
        Called with a run under way, its steps done and to do. With an executor: at 0, when it is
        handed over, and at the end; with threads each second, too.
    timeout : float, optional
        Seconds after which a single run is ended. With an executor: where no worker sends anything
        for a minute longer than that, what they were given is taken for lost (a failed try).
    tries : int, default 2
        How often a run is tried, 1 to 100, before it is given up.

    Returns
    -------
    Ensemble

    Raises
    ------
    FpdriftError
        Before anything is trained: if an argument is refused, if another ensemble is at work in the
        directory, or a file stands where a record belongs and is something else. It stays as it is.
        Later: if a run cannot be had at all, or a worker has another fpdrift.
    ChildError
        If a run failed, was killed or took too long at every try. The others are done by then.

    Warns
    -----
    FpdriftWarning
        If a pool of processes broke, and what was left was trained one after another.
    """
    _check_executor(executor)
    runs = _plan(conditions, network, data, labels, steps, anywhere=_may_be_far(executor))
    check_callable("progress", progress)
    check_timeout(timeout)
    tries = check_int("tries", tries, 1, MOST_TRIES)
    told = {run: f"run {i} of {len(runs)}, {run.condition.name}" for i, run in enumerate(runs, 1)}

    def tell(run: Run, done: int) -> None:
        if progress is not None:
            progress(told[run], done, run.steps)

    folder = _folder(directory)
    with _alone(folder):
        work = Attempts(folder=folder, tries=tries, timeout=timeout, tell=tell)
        _train(work, runs, executor)
    if work.failures:
        raise _failed(work, told)
    return Ensemble(
        network=runs[0].network,
        data=data,
        labels=labels,
        steps=runs[0].steps,
        conditions=tuple(run.condition for run in runs),
        names=tuple(work.names[run] for run in runs),
    )


def _train(work: Attempts, runs: list[Run], executor: Executor | None) -> None:
    """Look for all records before anything is trained; then train what is not there."""
    there = by_stem(work.folder)
    for run in runs:
        name = run.finished(work.folder, there[run.stem])
        if name is not None:
            work.names[run] = name
        work.tidy(there[run.stem])
    for run in work.names:
        work.tell(run, run.steps)
    left = [run for run in runs if run not in work.names]
    if executor is None:
        work.run_serially(left)
    else:
        work.run_on_executor(left, executor)


def _failed(work: Attempts, told: dict[Run, str]) -> ChildError:
    why = work.failures
    failed = [f"{text}: {one_line(why[run])}" for run, text in told.items() if run in why]
    more = [f"and {len(failed) - _TOLD} more"] if len(failed) > _TOLD else []
    tried = "once" if work.tries == 1 else f"{work.tries} times"
    return ChildError(
        f"{len(failed)} of {len(told)} runs failed, tried {tried}: "
        f"{'; '.join([*failed[:_TOLD], *more])}; the others are done, and the same call goes on"
    )


def _check_executor(executor: Any) -> None:
    if not isinstance(executor, Executor | None):
        message = (
            f"executor is {short_repr(executor)}; give a concurrent.futures.Executor "
            "(Dask: Client.get_executor()), or None"
        )
        raise FpdriftError(message)


def _may_be_far(executor: Executor | None) -> bool:
    """Return whether another machine may do the work; threads are of this process."""
    return executor is not None and not isinstance(executor, ThreadPoolExecutor)


def _plan(
    conditions: Any, network: str, data: str, labels: str, steps: int, *, anywhere: bool
) -> list[Run]:
    """Read what is to be run."""
    network = recorded_name(network)
    check(data, labels)
    steps = check_int("steps", steps, 1, MOST_STEPS)
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    try:
        given = [] if isinstance(conditions, Condition) else list(conditions)
    except TypeError:
        given = []
    if not given or not all(isinstance(condition, Condition) for condition in given):
        message = f"conditions are several fpdrift.Condition, not {short_repr(conditions)}"
        raise FpdriftError(message)
    times: Counter[Condition] = Counter()
    runs = []
    for condition in given:
        times[condition] += 1
        time = times[condition]
        runs.append(Run(condition, network, data, labels, steps, backend, time, anywhere))
    return runs


def _folder(directory: Any) -> Path:
    folder = absolute(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = (
            f"cannot make the folder {short_repr(str(folder))}: {error.strerror}; choose another"
        )
        raise FpdriftError(message) from None
    return folder


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other ensembles out; however this process dies, the system takes the lock back."""
    with ExitStack() as held:
        try:
            # SQLite locks a file alike on every system; nothing is ever written to it.
            lock = sqlite3.connect(folder / LOCK, isolation_level=None, timeout=0)
            held.callback(lock.close)
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            why = f"{short_repr(LOCK)} in {short_repr(folder.name)} cannot be locked: {error}"
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                why = f"another ensemble is at work in {short_repr(folder.name)}"
            message = f"{why}; wait until it is done, or choose another directory"
            raise FpdriftError(message) from None
        yield
