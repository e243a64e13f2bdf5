"""Let real threads add: the order in which partial sums arrive decides the last bits.

Each thread takes the next chunk, sums it, and adds its partial sum to the total under a lock. Which
partial sum comes next is the operating system's choice, so the same program adds the same numbers
in another order. What it chose is recorded, and adding again in that order needs no threads.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, reduce
from itertools import chain, product
from threading import Barrier, Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from fpdrift.checks import check_callable, whole
from fpdrift.errors import FpdriftError, shown
from fpdrift.floats import Format, format_of
from fpdrift.provenance import available_cores
from fpdrift.reduction.threads.threadsums import ThreadRun, ThreadSums
from fpdrift.results import read_only

Progress = Callable[[int, int], None]
_Array = npt.NDArray[Any]

_DTYPES = ("float32", "float64")
_LARGEST_N = 2**27
_LARGEST_CHUNKS = 2**16
_LARGEST_THREADS = 256
#: Arrivals in one result; each takes 2 bytes in memory and about 4 in JSON.
_LARGEST_ARRIVALS = 10**7


def thread_sums(
    n: int = 4_194_304,
    *,
    chunks: int = 64,
    threads: int | Sequence[int] | None = None,
    tries: int = 200,
    seed: int = 1,
    dtype: str = "float32",
    progress: Progress | None = None,
) -> ThreadSums:
    """Sum the same numbers many times with real threads, adding chunks as they arrive.

    The numbers are ``numpy.random.default_rng(seed).standard_normal(n, dtype)``: both signs, so
    that the running total is small beside what is added to it, and the order shows. NumPy releases
    the interpreter's lock while it sums a chunk, so threads do run side by side; that chunks
    then *arrive* in other orders is not taken for granted but counted (`ThreadRun.orders`). The
    threads go from one try to the next without a pause, as waking them takes longer than a sum.

    Parameters
    ----------
    n : int, default 4,194,304
        How many numbers, at most 2**27.
    chunks : int, default 64
        Pieces of (almost) equal size, at most 65,536; each is summed by `numpy.sum`.
    threads : int or sequence of int, optional
        Thread counts to try, each 1 to 256; by default 1 and all available cores (at least 2).
    tries : int, default 200
        Sums per thread count.
    seed : int, default 1
    dtype : {"float32", "float64"}
        Of the numbers, the partial sums and the total.
    progress : callable, optional
        Called now and then with the sums done and the sums to do.

    Returns
    -------
    ThreadSums
        For each thread count every try's result and order of arrival, and what the same partial
        sums give when they are added in a fixed order; the exact sum and error bounds.

    Raises
    ------
    FpdriftError
        If an argument is out of its range, or the system refuses memory or threads.
    """
    check_callable("progress", progress)
    counts = _thread_counts(threads)
    numbers = _numbers(n, chunks, seed, dtype)
    tries = whole("tries", tries, 1, _LARGEST_ARRIVALS // numbers.chunks // len(counts))
    try:
        return _sum(numbers, counts, tries, progress)
    except MemoryError:
        message = f"no memory for {n} numbers of {dtype}; choose a smaller n"
        raise FpdriftError(message) from None


def replay(result: ThreadSums, index: int, *, threads: int | None = None) -> Any:
    """Add in the order of arrival of one try again, with no threads at all.

    The numbers are drawn again from the result's seed, and their partial sums kept for the next
    replay. On the machine that made the result, this gives the try's bits.

    Parameters
    ----------
    result : ThreadSums
        Made here, or read from JSON.
    index : int
        Which try, 0 to ``result.tries - 1``.
    threads : int, optional
        Of which thread count; by default the highest there is.

    Returns
    -------
    numpy scalar
        The sum, in the result's dtype.

    Raises
    ------
    FpdriftError
        If there is no such try or result, or this NumPy draws other numbers from the seed.
    """
    if not isinstance(result, ThreadSums):
        message = f"result is {shown(result)}; give a ThreadSums, as thread_sums makes it"
        raise FpdriftError(message)
    if not result.runs:
        message = "no runs in this result, so no try to replay"
        raise FpdriftError(message)
    run = result.run(max(r.threads for r in result.runs) if threads is None else threads)
    order = run.arrivals[whole("index", index, 0, len(run.arrivals) - 1)]
    if sorted(order.tolist()) != list(range(result.chunks)):
        message = f"try {index} does not hold each of the {result.chunks} chunks once"
        raise FpdriftError(message)
    partials, digest = _partials(_numbers(result.n, result.chunks, result.seed, result.dtype))
    if digest != result.digest:
        message = f"this NumPy {np.__version__} draws other numbers from seed {result.seed}"
        raise FpdriftError(message)
    return reduce(operator.add, partials[order], partials.dtype.type(0))


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Which numbers are summed, and in which pieces."""

    n: int
    chunks: int
    seed: int
    dtype: str

    def draw(self) -> tuple[list[_Array], str]:
        """Draw the numbers; give them in pieces, with a fingerprint of them all."""
        rng = np.random.default_rng(self.seed)
        values = rng.standard_normal(self.n, np.float32 if self.dtype == "float32" else np.float64)
        return np.array_split(values, self.chunks), xxhash.xxh3_64_hexdigest(values.data)


def _sum(
    numbers: _Numbers, counts: tuple[int, ...], tries: int, progress: Progress | None
) -> ThreadSums:
    pieces, digest = numbers.draw()
    # The exact sum, rounded once to float64.
    exact = math.fsum(chain.from_iterable(piece.tolist() for piece in pieces))
    runs: list[ThreadRun] = []
    for count in counts:
        report = _reporter(progress, len(runs) * tries, tries * len(counts))
        runs.append(_run(pieces, count, tries, exact, report))
    sizes = sum(float(np.sum(np.abs(piece), dtype=np.float64)) for piece in pieces)
    partials = sum(abs(float(np.sum(piece))) for piece in pieces)
    fmt = format_of(numbers.dtype)
    return ThreadSums(
        n=numbers.n,
        chunks=numbers.chunks,
        tries=tries,
        seed=numbers.seed,
        dtype=numbers.dtype,
        digest=digest,
        exact=exact,
        bound=_gamma(numbers.n - 1, fmt) * sizes,
        spread_bound=2 * _gamma(numbers.chunks - 1, fmt) * partials,
        runs=tuple(runs),
    )


class _Tries:
    """What the threads of one run share; every access but the sum itself is under the lock."""

    def __init__(self, pieces: list[_Array], threads: int, tries: int) -> None:
        chunks = len(pieces)
        self.pieces = pieces
        self.start = Barrier(threads)
        self.lock = Lock()
        self.tasks = product(range(tries), range(chunks))
        self.stopped = False
        self.done = 0
        self.totals = np.zeros(tries, pieces[0].dtype)
        self.partials = np.empty((tries, chunks), pieces[0].dtype)
        self.arrived = np.zeros(tries, np.intp)
        self.arrivals = np.empty((tries, chunks), np.uint8 if chunks <= 256 else np.uint16)

    def work(self) -> None:
        """Be one thread: as long as there is a chunk to sum, take the next."""
        self.start.wait()
        while (task := self.take()) is not None:
            self.add(*task, np.sum(self.pieces[task[1]]))

    def take(self) -> tuple[int, int] | None:
        with self.lock:
            return None if self.stopped else next(self.tasks, None)

    def add(self, attempt: int, chunk: int, partial: Any) -> None:
        with self.lock:
            self.totals[attempt] += partial
            self.partials[attempt, chunk] = partial
            self.arrivals[attempt, self.arrived[attempt]] = chunk
            self.arrived[attempt] += 1
            self.done += int(self.arrived[attempt] == len(self.pieces))


def _run(
    pieces: list[_Array], threads: int, tries: int, exact: float, report: Callable[[int], None]
) -> ThreadRun:
    shared = _Tries(pieces, threads, tries)
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
    return ThreadRun(
        threads=threads,
        exact=exact,
        values=read_only(shared.totals),
        fixed=read_only(reduce(operator.add, shared.partials.T, np.zeros_like(shared.totals))),
        arrivals=read_only(shared.arrivals),
    )


def _start(pool: ThreadPoolExecutor, shared: _Tries, threads: int) -> list[Future[None]]:
    try:
        return [pool.submit(shared.work) for _ in range(threads)]
    except RuntimeError as error:
        message = f"the system does not start {threads} threads ({error}); choose fewer"
        raise FpdriftError(message) from None


def _reporter(progress: Progress | None, before: int, total: int) -> Callable[[int], None]:
    def report(done: int) -> None:
        if progress is not None:
            progress(before + done, total)

    return report


@lru_cache(maxsize=8)
def _partials(numbers: _Numbers) -> tuple[_Array, str]:
    pieces, digest = numbers.draw()
    return read_only([np.sum(piece) for piece in pieces], numbers.dtype), digest


def _gamma(k: int, fmt: Format) -> float:
    """Give k*u / (1 - k*u), or infinity where k roundings can lose everything."""
    lost = Fraction(k, 2**fmt.precision)
    return float(lost / (1 - lost)) if lost < 1 else math.inf


def _numbers(n: int, chunks: int, seed: int, dtype: str) -> _Numbers:
    name = format_of(dtype).name
    if name not in _DTYPES:
        message = f"dtype is {name}; choose one of {', '.join(_DTYPES)}"
        raise FpdriftError(message)
    n = whole("n", n, 1, _LARGEST_N)
    chunks = whole("chunks", chunks, 1, min(n, _LARGEST_CHUNKS))
    return _Numbers(n, chunks, whole("seed", seed, 0, 2**64 - 1), name)


def _thread_counts(threads: int | Sequence[int] | None) -> tuple[int, ...]:
    if threads is None:
        threads = (1, min(max(2, available_cores()), _LARGEST_THREADS))
    counts = threads if isinstance(threads, Sequence) else (threads,)
    if not counts:
        message = "threads is empty; give at least one count, such as 2"
        raise FpdriftError(message)
    return tuple(dict.fromkeys(whole("threads", c, 1, _LARGEST_THREADS) for c in counts))
