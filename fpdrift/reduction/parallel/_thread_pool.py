"""Run threads that take chunks, compute a part of each, and add it to the total under a lock.

The operating system decides which part comes next; its decisions are recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import product
from threading import Barrier, Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from fpdrift.errors import FpdriftError
from fpdrift.provenance import available_cores
from fpdrift.serialization import read_only
from fpdrift.validation import check_int

Progress = Callable[[int, int], None]

_LARGEST_THREADS = 256


@dataclass(frozen=True, slots=True)
class ReductionStrategy:
    """Functions that compute parts and add them; all except `add` run without the lock."""

    #: returns an empty total
    begin: Callable[[], Any]
    #: returns the part of a chunk
    part: Callable[[int], Any]
    #: returns the new total, given a total (which it may modify), a chunk and its part
    add: Callable[[Any, int, Any], Any]
    #: returns the result, given the last total
    finish: Callable[[Any], Any]


class Tries:
    """The shared state of one run's threads; every access except to parts is under the lock."""

    def __init__(self, strategy: ReductionStrategy, chunks: int, threads: int, tries: int) -> None:
        self.strategy = strategy
        self.chunks = chunks
        self.start = Barrier(threads)
        self.lock = Lock()
        self.tasks = product(range(tries), range(chunks))
        self.stopped = False
        self.done = 0
        #: each try's running total, then its result
        self.totals = [strategy.begin() for _ in range(tries)]
        self.arrived = np.zeros(tries, np.intp)
        self.arrivals = np.empty((tries, chunks), np.uint8 if chunks <= 256 else np.uint16)

    def work(self) -> None:
        """Run one thread: take chunks until there are none left."""
        self.start.wait()
        while (task := self.take()) is not None:
            self.add(*task, self.strategy.part(task[1]))

    def take(self) -> tuple[int, int] | None:
        """Return the next try and chunk, or None."""
        with self.lock:
            return None if self.stopped else next(self.tasks, None)

    def add(self, attempt: int, chunk: int, part: Any) -> None:
        """Add a part to the total of its try, and record its arrival."""
        with self.lock:
            self.totals[attempt] = self.strategy.add(self.totals[attempt], chunk, part)
            self.arrivals[attempt, self.arrived[attempt]] = chunk
            self.arrived[attempt] += 1
            last = bool(self.arrived[attempt] == self.chunks)
        if last:  # no other thread accesses this total
            self.totals[attempt] = self.strategy.finish(self.totals[attempt])
            with self.lock:
                self.done += 1


def run_tries(
    strategy: ReductionStrategy,
    chunks: int,
    threads: int,
    tries: int,
    report: Callable[[int], None] = lambda _: None,
) -> tuple[list[Any], npt.NDArray[Any]]:
    """Add all chunks many times with threads; return the results and the orders of arrival.

    The threads go from one try to the next without a pause, as waking them takes longer than a sum.

    Raises
    ------
    FpdriftError
        If the system does not start that many threads.
    """
    shared = Tries(strategy, chunks, threads, tries)
    with ThreadPoolExecutor(threads) as pool:
        try:
            futures = _start(pool, shared, threads)
            while wait(futures, timeout=0.1).not_done:
                report(shared.done)
        finally:  # also after Ctrl-C: no thread continues, or waits for one that never started
            shared.stopped = True
            shared.start.abort()
    for future in futures:
        future.result()
    report(tries)
    return shared.totals, read_only(shared.arrivals)


def thread_counts(threads: int | Sequence[int] | None) -> tuple[int, ...]:
    """Check thread counts; by default 1 and all available cores (at least 2)."""
    if threads is None:
        threads = (1, min(max(2, available_cores()), _LARGEST_THREADS))
    counts = threads if isinstance(threads, Sequence) else (threads,)
    if not counts:
        message = "threads is empty; pass at least one count, such as 2"
        raise FpdriftError(message)
    return tuple(dict.fromkeys(check_int("threads", c, 1, _LARGEST_THREADS) for c in counts))


def reporter(progress: Progress | None, before: int, total: int) -> Callable[[int], None]:
    """Return a function that reports progress, counted from `before`."""

    def report(done: int) -> None:
        if progress is not None:
            progress(before + done, total)

    return report


def _start(pool: ThreadPoolExecutor, shared: Tries, threads: int) -> list[Future[None]]:
    try:
        return [pool.submit(shared.work) for _ in range(threads)]
    except RuntimeError as error:
        message = f"the system could not start {threads} threads ({error}); choose fewer"
        raise FpdriftError(message) from None
