"""Train the runs of an ensemble, locally or on workers, until each has a record or has failed.

A record is written as a draft in the ensemble's folder. It gets its final name after it was opened
and checked. Interrupted runs leave drafts, which are removed later.
"""

from __future__ import annotations

import math
import os
import secrets
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from fpdrift import atomic
from fpdrift.ensembles._remote import cancel, raise_if_cancelled, train_at, train_remotely
from fpdrift.ensembles._run_key import DRAFT, Run, by_stem
from fpdrift.errors import ChildError, FpdriftError, FpdriftWarning, RecordError, short_repr
from fpdrift.provenance import available_cores
from fpdrift.records import Record, open_own

#: Seconds, in addition to the time limit of a run, for a worker to start and to send the record.
_SLACK = 60.0
#: Seconds between progress reports from threads of this process.
_OFTEN = 1.0

#: Yields the bytes of the record, or None if a thread of this process has written it.
_Job = Future[bytes | None]


@dataclass(kw_only=True)
class Attempts:
    """The attempts to train some runs, and their results."""

    folder: Path
    #: number of times to try a run
    tries: int
    #: time limit of one run in seconds, or None
    timeout: float | None
    #: called with a run and its number of steps done
    report: Callable[[Run, int], None]
    #: names of the finished records
    names: dict[Run, str] = field(default_factory=dict)
    #: error of the last try of each failed run
    failures: dict[Run, BaseException] = field(default_factory=dict)
    #: steps done in threads of this process that are still to be reported
    steps: dict[Run, int] = field(default_factory=dict)

    def run_serially(self, runs: Iterable[Run]) -> None:
        """Train the runs one after another."""
        for run in runs:

            def note(done: int, _: int, run: Run = run) -> None:
                self.report(run, done)

            for _ in range(self.tries):
                try:
                    self._train_locally(run, note)
                except ChildError as error:
                    self.failures[run] = error
                else:
                    break

    def run_on_executor(self, runs: Iterable[Run], executor: Executor) -> None:
        """Train the runs on workers; if their pool breaks, train the rest in this process.

        A process pool breaks as a whole when one of its processes dies. This does not count as a
        try, since the run that caused it is unknown.
        """
        left = dict.fromkeys(runs, self.tries)
        at_work: dict[_Job, tuple[Run, str]] = {}
        stranded: dict[Run, BrokenExecutor] = {}
        waiting = list(left)
        try:
            while waiting or at_work:
                for run in waiting:
                    ticket = secrets.token_hex(8)
                    at_work[self._submit(executor, run, ticket)] = run, ticket
                    self.report(run, 0)
                waiting = []
                for run, error in self._wait(at_work):
                    if isinstance(error, BrokenExecutor):
                        stranded[run] = error
                        continue
                    self.failures[run] = error
                    left[run] -= 1
                    waiting += [run] if left[run] else []
        finally:
            for future, (_, ticket) in at_work.items():
                future.cancel()
                cancel(ticket)
            self._keep_rest(at_work)
        if stranded:
            why = one_line(next(iter(stranded.values())))
            message = (
                f"the worker pool broke ({why}); training the remaining runs one after another"
            )
            warnings.warn(message, FpdriftWarning, stacklevel=4)
            self.run_serially(stranded)

    def _train_locally(self, run: Run, progress: Callable[[int, int], None]) -> None:
        with self._draft(run) as draft:
            self._name(run, draft, train_at(draft, run, self.timeout, progress))

    def _train_in_thread(self, run: Run, ticket: str) -> None:
        """Train in a thread of this process, unless the job is cancelled."""

        def note(done: int, _: int) -> None:
            raise_if_cancelled(ticket)
            self.steps[run] = done

        self._train_locally(run, note)

    def _submit(self, executor: Executor, run: Run, ticket: str) -> _Job:
        """Submit a run; a rejected submission counts as a failed try."""
        try:
            if run.anywhere:
                return executor.submit(train_remotely, run, self.timeout, ticket)
            return executor.submit(self._train_in_thread, run, ticket)
        except Exception as error:  # noqa: BLE001 - the pool is broken or shut down, or the cluster gone
            refused: _Job = Future()
            refused.set_exception(error)
            return refused

    def _wait(self, at_work: dict[_Job, tuple[Run, str]]) -> Iterator[tuple[Run, BaseException]]:
        """Wait for a worker, remove finished and lost jobs, and yield the runs that failed.

        Each run ends within its time limit. If no worker sends anything for that long, all jobs are
        lost: a machine has frozen, or the cluster has dropped them.
        """
        limit = math.inf if self.timeout is None else self.timeout + _SLACK
        for future in self._first(at_work, limit) or tuple(at_work):
            run, ticket = at_work[future]
            if future.done():
                error = self._settle(run, future)
            else:
                future.cancel()
                cancel(ticket)
                error = ChildError(f"no worker sent anything for {limit:g} s")
            del at_work[future]
            self.steps.pop(run, None)
            if error is None:
                self.report(run, run.steps)
            else:
                yield run, error

    def _first(self, at_work: Iterable[_Job], limit: float) -> set[_Job]:
        """Wait until some jobs are done, or for `limit` seconds, reporting progress of threads."""
        while True:
            done = wait(at_work, timeout=min(limit, _OFTEN), return_when=FIRST_COMPLETED).done
            limit -= _OFTEN
            if done or limit <= 0:
                return done
            while self.steps:
                self.report(*self.steps.popitem())

    def _keep_rest(self, at_work: dict[_Job, tuple[Run, str]]) -> None:
        """Keep the other finished records when an error ends the ensemble."""
        for future, (run, _) in at_work.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                with suppress(FpdriftError):  # the first error is the one to report
                    self._settle(run, future)

    def _settle(self, run: Run, future: _Job) -> BaseException | None:
        """Keep the record that a worker sent, or return an error after which to try again."""
        if future.cancelled():
            return ChildError("the cluster dropped the job")
        error = future.exception()
        if error is not None:
            if isinstance(error, FpdriftError) and not isinstance(error, ChildError):
                raise error
            return error
        sent = future.result()
        if sent is None:  # a thread of this process has written the record
            return None
        try:
            with self._draft(run) as draft:
                with self._writing():
                    draft.write_bytes(sent)
                self._name(run, draft, open_own(draft))
        except (ChildError, RecordError) as damage:
            return damage
        return None

    @contextmanager
    def _draft(self, run: Run) -> Iterator[Path]:
        """Yield a unique path for a draft, and remove the draft afterwards."""
        self.tidy(by_stem(self.folder)[run.stem])
        try:
            yield self.folder / f"{run.stem}{DRAFT}{secrets.token_hex(4)}"
        finally:
            self.tidy(by_stem(self.folder)[run.stem])

    def _name(self, run: Run, draft: Path, record: Record) -> None:
        other = ", ".join(run.differing(record))
        if other and run.anywhere:
            message = f"a worker has a different {other}; install the same version of fpdrift there"
            raise FpdriftError(message)
        if other:
            message = f"{run.condition.name}: {other} changed during training; start again"
            raise FpdriftError(message)
        if not run.is_whole(record):
            message = "its record is incomplete"
            raise ChildError(message)
        name = run.name_on(record.provenance)
        run.is_done(self.folder / name)  # raises if a different file has appeared meanwhile
        with self._writing():
            atomic.put_in_place(draft, self.folder / name)
        self.names[run] = name
        self.failures.pop(run, None)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"cannot write in {short_repr(self.folder.name)}: {error.strerror or error}"
            raise FpdriftError(f"{message}; free some space and repeat the call") from None

    def tidy(self, names: Iterable[str]) -> None:
        """Remove the drafts of killed runs."""
        for name in names:
            if DRAFT in name:
                with suppress(OSError):  # in use by a process that is still ending; removed later
                    (self.folder / name).unlink()


def one_line(error: BaseException) -> str:
    """Return the message of an error in one line of at most 200 characters, or its type."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:197]}..."


MOST_WORKERS = 1024
#: Bytes of memory needed for two trainings at a time; each may take 1.5e9.
_FOR_TWO = 4e9


def few() -> int:
    """Return how many runs to train at a time: two, if there are two cores and enough memory."""
    try:
        memory: float = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError):  # not available on Windows
        memory = math.inf
    return min(2, available_cores()) if memory >= _FOR_TWO else 1


def workers_here(count: int) -> AbstractContextManager[Executor | None]:
    """Return an executor for an ensemble: threads, or None for one run at a time."""
    return nullcontext() if count == 1 else ThreadPoolExecutor(count)
