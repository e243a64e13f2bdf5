"""Let real threads add: the order in which partial sums arrive decides the last bits.

Each thread takes the next chunk, sums it, and adds its partial sum to the total under a lock. Which
partial sum comes next is the operating system's choice, so the same program adds the same numbers
in another order. What it chose is recorded, and adding again in that order needs no threads.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np

from fpdrift.checks import check_callable
from fpdrift.reduction.rounding import Floats
from fpdrift.reduction.threads.operating import in_order_of_arrival
from fpdrift.reduction.threads.operations import Chunk, Task, sizes_bound
from fpdrift.reduction.threads.threadsums import ThreadRun, ThreadSums
from fpdrift.reduction.threads.tries import Progress, Way, reporter, run_tries, thread_counts
from fpdrift.results import read_only


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
    counts = thread_counts(threads)
    task = Task.checked("sum", n, chunks, seed, dtype)
    tries = task.check_tries(tries, len(counts))
    try:
        return _sum(task, counts, tries, progress)
    except MemoryError:
        raise task.no_memory() from None


def _sum(task: Task, counts: tuple[int, ...], tries: int, progress: Progress | None) -> ThreadSums:
    chunks, digest = task.draw()
    exact, bound = task.exact_and_bound(chunks)
    runs: list[ThreadRun] = []
    for count in counts:
        report = reporter(progress, len(runs) * tries, tries * len(counts))
        runs.append(_run(task, chunks, count, tries, float(exact), report))
    partials = sum(abs(float(np.sum(chunk[0]))) for chunk in chunks)
    return ThreadSums(
        n=task.n,
        chunks=task.chunks,
        tries=tries,
        seed=task.seed,
        dtype=task.dtype,
        digest=digest,
        exact=float(exact),
        bound=float(bound),
        spread_bound=2 * sizes_bound(partials, task.chunks - 1, task.dtype),
        runs=tuple(runs),
    )


def _run(
    task: Task,
    chunks: list[Chunk],
    threads: int,
    tries: int,
    exact: float,
    report: Callable[[int], None],
) -> ThreadRun:
    way = _keeping(in_order_of_arrival(task, chunks), task)
    results, arrivals = run_tries(way, task.chunks, threads, tries, report)
    values = read_only([total for total, _ in results])
    partials = np.stack([partials for _, partials in results], axis=1)
    return ThreadRun(
        threads=threads,
        exact=exact,
        values=values,
        fixed=read_only(reduce(operator.add, partials, np.zeros_like(values))),
        arrivals=arrivals,
    )


def _keeping(way: Way, task: Task) -> Way:
    """Keep the partial sums beside the total."""

    def add(state: tuple[Floats, Floats], chunk: int, part: Any) -> tuple[Floats, Floats]:
        state[1][chunk] = part
        return way.add(state[0], chunk, part), state[1]

    return replace(
        way,
        begin=lambda: (way.begin(), np.empty(task.chunks, task.dtype)),
        add=add,
        finish=lambda state: (way.finish(state[0]), state[1]),
    )
