"""Real threads that take chunks, make a part of each, and add it to the total under a lock.

Which part comes next is the operating system's choice. What it chose is recorded.
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
    """A way of making parts and adding them; all but `add` run without the lock."""

    #: gives a total with nothing in it
    begin: Callable[[], Any]
    #: makes the part of a chunk
    part: Callable[[int], Any]
    #: takes a total, a chunk and its part, and gives the new total (which may be the old, changed)
    add: Callable[[Any, int, Any], Any]
    #: makes the result of the last total
    finish: Callable[[Any], Any]


class Tries:
    """What the threads of one run share; every access but the parts is under the lock."""

    def __init__(self, way: ReductionStrategy, chunks: int, threads: int, tries: int) -> None:
        self.way = way
        self.chunks = chunks
        self.start = Barrier(threads)
        self.lock = Lock()
        self.tasks = product(range(tries), range(chunks))
        self.stopped = False
        self.done = 0
        #: of each try: its total so far, then its result
        self.totals = [way.begin() for _ in range(tries)]
        self.arrived = np.zeros(tries, np.intp)
        self.arrivals = np.empty((tries, chunks), np.uint8 if chunks <= 256 else np.uint16)

    def work(self) -> None:
        """Be one thread: as long as there is a chunk to take, take the next."""
        self.start.wait()
        while (task := self.take()) is not None:
            self.add(*task, self.way.part(task[1]))

    def take(self) -> tuple[int, int] | None:
        """Take the next try and chunk, if there are any."""
        with self.lock:
            return None if self.stopped else next(self.tasks, None)

    def add(self, attempt: int, chunk: int, part: Any) -> None:
        """Add a part to the total of its try, and note that it arrived."""
        with self.lock:
            self.totals[attempt] = self.way.add(self.totals[attempt], chunk, part)
            self.arrivals[attempt, self.arrived[attempt]] = chunk
            self.arrived[attempt] += 1
            last = bool(self.arrived[attempt] == self.chunks)
        if last:  # nobody else comes to this total
            self.totals[attempt] = self.way.finish(self.totals[attempt])
            with self.lock:
                self.done += 1


def run_tries(
    way: ReductionStrategy,
    chunks: int,
    threads: int,
    tries: int,
    report: Callable[[int], None] = lambda _: None,
) -> tuple[list[Any], npt.NDArray[Any]]:
    """Add all chunks many times with so many threads; give the results and the arrivals.

    The threads go from one try to the next without a pause, as waking them takes longer than a sum.

    Raises
    ------
    FpdriftError
        If the system does not start so many threads.
    """
    shared = Tries(way, chunks, threads, tries)
    with ThreadPoolExecutor(threads) as pool:
        try:
            futures = _start(pool, shared, threads)
            while wait(futures, timeout=0.1).not_done:
                report(shared.done)
        finally:  # also after Ctrl-C: no thread goes on, or waits for one that never came
            shared.stopped = True
            shared.start.abort()
    for future in futures:
        future.result()
    report(tries)
    return shared.totals, read_only(shared.arrivals)


def thread_counts(threads: int | Sequence[int] | None) -> tuple[int, ...]:
    """Read one or more numbers of threads; by default 1 and all available cores (at least 2)."""
    if threads is None:
        threads = (1, min(max(2, available_cores()), _LARGEST_THREADS))
    counts = threads if isinstance(threads, Sequence) else (threads,)
    if not counts:
        message = "threads is empty; give at least one count, such as 2"
        raise FpdriftError(message)
    return tuple(dict.fromkeys(check_int("threads", c, 1, _LARGEST_THREADS) for c in counts))


def reporter(progress: Progress | None, before: int, total: int) -> Callable[[int], None]:
    """Count on from what was done before."""

    def report(done: int) -> None:
        if progress is not None:
            progress(before + done, total)

    return report


def _start(pool: ThreadPoolExecutor, shared: Tries, threads: int) -> list[Future[None]]:
    try:
        return [pool.submit(shared.work) for _ in range(threads)]
    except RuntimeError as error:
        message = f"the system does not start {threads} threads ({error}); choose fewer"
        raise FpdriftError(message) from None
