"""Let real threads add: the order in which partial sums arrive decides the last bits.

Each thread takes the next chunk, sums it, and adds its partial sum to the total under a lock. Which
partial sum comes next is the operating system's choice, so the same program adds the same numbers
in another order. What it chose is recorded, and adding again in that order needs no threads.

Operations of many elements by real threads: what arrives is added to the whole result.

Add again, without threads, in an order that threads once left behind.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np

from fpdrift.errors import FpdriftError, short_repr
from fpdrift.reduction._rounding import Floats
from fpdrift.reduction.parallel._operations import Chunk, Task, added, parts, sizes_bound
from fpdrift.reduction.parallel._results import OperationRun, ThreadOperation, ThreadRun, ThreadSums
from fpdrift.reduction.parallel._thread_pool import (
    Progress,
    ReductionStrategy,
    reporter,
    run_tries,
    thread_counts,
)
from fpdrift.serialization import read_only
from fpdrift.validation import check_callable, check_int


def thread_operation(
    operation: str = "dot",
    n: int | None = None,
    *,
    chunks: int = 64,
    threads: int | Sequence[int] | None = None,
    tries: int = 200,
    seed: int = 1,
    dtype: str = "float32",
    progress: Progress | None = None,
) -> ThreadOperation:
    """Do the same operation many times with real threads, adding what each chunk gives.

    Parameters
    ----------
    operation : str, default "dot"
        - ``"sum"``: of standard normal numbers, as `thread_sums`;
        - ``"positive sum"``: of numbers spread evenly from 0 to 1;
        - ``"dot"``: of two rows of standard normal numbers;
        - ``"matmul"``: 8 rows times 8 columns of n standard normal numbers each; a chunk is a
          piece of the inner dimension, and its part a whole 8x8 matrix;
        - ``"histogram"``: n standard normal weights into 64 bins; a chunk's part is a histogram;
        - ``"scatter-add"``: the same, but a chunk that arrives adds its weights one by one.
    n : int, optional
        How many terms; by default enough that threads get in each other's way.
    chunks, threads, tries, seed, dtype, progress
        As for `thread_sums`.

    Returns
    -------
    ThreadOperation
        For each thread count every try's result and order of arrival; the result in a fixed order,
        the exact one, and error bounds. `replay` does any try again, without threads.

    Raises
    ------
    FpdriftError
        If an argument is out of its range, or the system refuses memory or threads.
    """
    check_callable("progress", progress)
    counts = thread_counts(threads)
    task = Task.checked(operation, n, chunks, seed, dtype)
    tries = task.check_tries(tries, len(counts))
    try:
        return _operate(task, counts, tries, progress)
    except MemoryError:
        raise task.no_memory() from None


def in_order_of_arrival(
    task: Task, chunks: list[Chunk], accumulator: str | None = None
) -> ReductionStrategy:
    """Make parts and add them as they come, in the accumulator's dtype; round once at the end."""
    dtype = np.dtype(accumulator or task.dtype)

    def add(total: Floats, _chunk: int, part: Any) -> Floats:
        task.kind.add(total, part)
        return total

    return ReductionStrategy(
        begin=lambda: np.zeros(task.kind.shape, dtype),
        part=lambda chunk: task.kind.part(chunks[chunk], dtype),
        add=add,
        finish=lambda total: total.astype(task.dtype),
    )


def _operate(
    task: Task, counts: tuple[int, ...], tries: int, progress: Progress | None
) -> ThreadOperation:
    chunks, digest = task.draw()
    exact, bound = task.exact_and_bound(chunks)
    way = in_order_of_arrival(task, chunks)
    runs: list[OperationRun] = []
    for count in counts:
        report = reporter(progress, len(runs) * tries, tries * len(counts))
        values, arrivals = run_tries(way, task.chunks, count, tries, report)
        runs.append(OperationRun(threads=count, values=read_only(values), arrivals=arrivals))
    return ThreadOperation(
        operation=task.operation,
        n=task.n,
        chunks=task.chunks,
        tries=tries,
        seed=task.seed,
        dtype=task.dtype,
        digest=digest,
        exact=exact,
        bound=bound,
        fixed=read_only(added(task, map(way.part, range(task.chunks)))),
        runs=tuple(runs),
    )


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


def _keeping(way: ReductionStrategy, task: Task) -> ReductionStrategy:
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


def replay(result: ThreadSums | ThreadOperation, index: int, *, threads: int | None = None) -> Any:
    """Add in the order of arrival of one try again, with no threads at all.

    The numbers are drawn again from the result's seed, and what their chunks give is kept for the
    next replay. On the machine that made the result, this gives the try's bits.

    Parameters
    ----------
    result : ThreadSums or ThreadOperation
        Made here, or read from JSON.
    index : int
        Which try, 0 to ``result.tries - 1``.
    threads : int, optional
        Of which thread count; by default the highest there is.

    Returns
    -------
    numpy scalar or numpy.ndarray
        The sum or the operation's result, in the result's dtype.

    Raises
    ------
    FpdriftError
        If there is no such try or result, or this NumPy draws other numbers from the seed.
    """
    if not isinstance(result, ThreadSums | ThreadOperation):
        message = f"result is {short_repr(result)}; give a ThreadSums, as thread_sums makes it"
        raise FpdriftError(message)
    if not result.runs:
        message = "no runs in this result, so no try to replay"
        raise FpdriftError(message)
    run = result.run(max(r.threads for r in result.runs) if threads is None else threads)
    order = run.arrivals[check_int("index", index, 0, len(run.arrivals) - 1)].tolist()
    if sorted(order) != list(range(result.chunks)):
        message = f"try {index} does not hold each of the {result.chunks} chunks once"
        raise FpdriftError(message)
    name = "sum" if isinstance(result, ThreadSums) else result.operation
    task = Task.checked(name, result.n, result.chunks, result.seed, result.dtype)
    of_chunks, digest = parts(task)
    if digest != result.digest:
        message = f"this NumPy {np.__version__} draws other numbers from seed {result.seed}"
        raise FpdriftError(message)
    return added(task, (of_chunks[chunk] for chunk in order))[()]
