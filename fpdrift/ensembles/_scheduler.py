"""Runs tried here or by workers until each has its record, or has failed too often.

A record is a draft in the ensemble's folder until it was opened and found to be the one that was
asked for; then it gets its name. Whatever ends in between leaves a draft, which is taken away.

How many trainings this machine does at a time.
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

#: Seconds, besides the time limit of a run, for a worker to begin and to send the record.
_SLACK = 60.0
#: Seconds after which is told how far the threads of this process are.
_OFTEN = 1.0

#: Gives the record's bytes, or None where a thread of this process has put it in its place.
_Job = Future[bytes | None]


@dataclass(kw_only=True)
class Attempts:
    """What is tried, and what has come of it."""

    folder: Path
    #: how often a run is tried before it is given up
    tries: int
    #: seconds for one run, or None
    timeout: float | None
    #: called with a run and how many of its steps are done
    tell: Callable[[Run, int], None]
    #: of the finished records
    names: dict[Run, str] = field(default_factory=dict)
    #: why the last try of a run failed
    failures: dict[Run, BaseException] = field(default_factory=dict)
    #: steps done in threads of this process, until they are told by whoever waits for these
    steps: dict[Run, int] = field(default_factory=dict)

    def run_serially(self, runs: Iterable[Run]) -> None:
        """Train one after another."""
        for run in runs:

            def note(done: int, _: int, run: Run = run) -> None:
                self.tell(run, done)

            for _ in range(self.tries):
                try:
                    self._here(run, note)
                except ChildError as error:
                    self.failures[run] = error
                else:
                    break

    def run_on_executor(self, runs: Iterable[Run], executor: Executor) -> None:
        """Let workers train; if their pool breaks, train here what is left.

        A pool of processes breaks as a whole when one of them dies. That is no try: which run was
        at fault, if any, cannot be told.
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
                    self.tell(run, 0)
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
            message = f"the pool of workers broke ({why}); the rest is trained one after another"
            warnings.warn(message, FpdriftWarning, stacklevel=4)
            self.run_serially(stranded)

    def _here(self, run: Run, progress: Callable[[int, int], None]) -> None:
        with self._draft(run) as draft:
            self._name(run, draft, train_at(draft, run, self.timeout, progress))

    def _in_thread(self, run: Run, ticket: str) -> None:
        """Train in a thread of this process, until nobody waits for it any more."""

        def note(done: int, _: int) -> None:
            raise_if_cancelled(ticket)
            self.steps[run] = done

        self._here(run, note)

    def _submit(self, executor: Executor, run: Run, ticket: str) -> _Job:
        """Hand a run over; what refuses to take it is a failed try like any other."""
        try:
            if run.anywhere:
                return executor.submit(train_remotely, run, self.timeout, ticket)
            return executor.submit(self._in_thread, run, ticket)
        except Exception as error:  # noqa: BLE001 - a pool that is broken or shut, a cluster that is gone
            refused: _Job = Future()
            refused.set_exception(error)
            return refused

    def _wait(self, at_work: dict[_Job, tuple[Run, str]]) -> Iterator[tuple[Run, BaseException]]:
        """Wait for a worker; give the runs that failed. What is settled or lost is taken out.

        Each run ends within its time limit. So where all that time nothing comes back from any
        worker, what they were given is lost: a machine that froze, a cluster that forgot it.
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
                self.tell(run, run.steps)
            else:
                yield run, error

    def _first(self, at_work: Iterable[_Job], limit: float) -> set[_Job]:
        """Wait until some are done, or for `limit` seconds; tell meanwhile how far threads are."""
        while True:
            done = wait(at_work, timeout=min(limit, _OFTEN), return_when=FIRST_COMPLETED).done
            limit -= _OFTEN
            if done or limit <= 0:
                return done
            while self.steps:
                self.tell(*self.steps.popitem())

    def _keep_rest(self, at_work: dict[_Job, tuple[Run, str]]) -> None:
        """Keep what else has come back when something ends it all."""
        for future, (run, _) in at_work.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                with suppress(FpdriftError):  # what ends it all is what is told
                    self._settle(run, future)

    def _settle(self, run: Run, future: _Job) -> BaseException | None:
        """Keep what a worker sent; give what went wrong instead, if that may be tried again."""
        if future.cancelled():
            return ChildError("its cluster lost it")
        error = future.exception()
        if error is not None:
            if isinstance(error, FpdriftError) and not isinstance(error, ChildError):
                raise error
            return error
        sent = future.result()
        if sent is None:  # a thread of this process has named it
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
        """Return a name that no other process has; afterwards nothing is left there."""
        self.tidy(by_stem(self.folder)[run.stem])
        try:
            yield self.folder / f"{run.stem}{DRAFT}{secrets.token_hex(4)}"
        finally:
            self.tidy(by_stem(self.folder)[run.stem])

    def _name(self, run: Run, draft: Path, record: Record) -> None:
        other = ", ".join(run.differing(record))
        if other and run.anywhere:
            message = f"a worker has other {other}; install the same fpdrift there"
            raise FpdriftError(message)
        if other:
            message = f"{run.condition.name}: {other} changed while it was trained; start again"
            raise FpdriftError(message)
        if not run.is_whole(record):
            message = "its record ends before the run does"
            raise ChildError(message)
        name = run.name_on(record.provenance)
        run.is_done(self.folder / name)  # nobody else's file may have come there meanwhile
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
            raise FpdriftError(f"{message}; make room, and the same call goes on") from None

    def tidy(self, names: Iterable[str]) -> None:
        """Take away what runs that were killed have left."""
        for name in names:
            if DRAFT in name:
                with suppress(OSError):  # held by a process that is still dying: the next run will
                    (self.folder / name).unlink()


def one_line(error: BaseException) -> str:
    """Say in one line of bearable length what an error says, or at least its kind."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:197]}..."


MOST_WORKERS = 1024
#: Bytes of memory below which one training at a time has to do: each may take 1.5e9.
_FOR_TWO = 4e9


def few() -> int:
    """Choose how many trainings go on at a time: two, where there are two cores and memory."""
    try:
        memory: float = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError):  # Windows does not tell
        memory = math.inf
    return min(2, available_cores()) if memory >= _FOR_TWO else 1


def workers_here(count: int) -> AbstractContextManager[Executor | None]:
    """Return what an ensemble takes as its executor: threads, or None where it is one at a time."""
    return nullcontext() if count == 1 else ThreadPoolExecutor(count)
