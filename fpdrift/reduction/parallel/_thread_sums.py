"""Add with real threads, where the order of arrival decides the last bits, and replay the order.

Each thread takes the next chunk, sums it, and adds its partial sum to the total under a lock. The
operating system decides which partial sum comes next, so the same program adds the same numbers in
different orders. The order is recorded, and replaying it needs no threads. Other operations work
in the same way: the part of a chunk is added to the whole result.
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
from fpdrift.reduction.parallel._operations import Chunk, Task, add_parts, parts, sizes_bound
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
    """Run the same operation many times with real threads, adding chunks as they arrive.

    Parameters
    ----------
    operation : str, default "dot"
        - ``"sum"``: of standard normal numbers, as `thread_sums`;
        - ``"positive sum"``: of numbers uniformly distributed from 0 to 1;
        - ``"dot"``: of two vectors of standard normal numbers;
        - ``"matmul"``: 8 rows times 8 columns of n standard normal numbers each; a chunk is a
          slice of the inner dimension, and its part is a whole 8x8 matrix;
        - ``"histogram"``: n standard normal weights into 64 bins; a chunk's part is a histogram;
        - ``"scatter-add"``: the same, but a chunk that arrives adds its weights one by one.
    n : int, optional
        Number of terms; by default enough for threads to interleave.
    chunks, threads, tries, seed, dtype, progress
        As for `thread_sums`.

    Returns
    -------
    ThreadOperation
        For each thread count, every try's result and order of arrival; the result in a fixed order,
        the exact one, and error bounds. `replay` repeats any try without threads.

    Raises
    ------
    FpdriftError
        If an argument is out of range, or the system refuses memory or threads.
    """
    check_callable("progress", progress)
    counts = thread_counts(threads)
    task = Task.checked(operation, n, chunks, seed, dtype)
    tries = task.check_tries(tries, len(counts))
    try:
        return _operate(task, counts, tries, progress)
    except MemoryError:
        raise task.memory_error() from None


def in_order_of_arrival(
    task: Task, chunks: list[Chunk], accumulator: str | None = None
) -> ReductionStrategy:
    """Add parts as they arrive, in the accumulator's dtype; round once at the end."""
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
    strategy = in_order_of_arrival(task, chunks)
    runs: list[OperationRun] = []
    for count in counts:
        report = reporter(progress, len(runs) * tries, tries * len(counts))
        values, arrivals = run_tries(strategy, task.chunks, count, tries, report)
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
        fixed=read_only(add_parts(task, map(strategy.part, range(task.chunks)))),
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
    that the running total is small compared to what is added to it, and the order matters. NumPy
    releases the GIL while it sums a chunk, so threads do run in parallel; whether chunks then
    *arrive* in different orders is not assumed but counted (`ThreadRun.orders`). The threads go
    from one try to the next without a pause, as waking them takes longer than a sum.

    Parameters
    ----------
    n : int, default 4,194,304
        Number of values, at most 2**27.
    chunks : int, default 64
        Number of chunks of (almost) equal size, at most 65,536; each is summed by `numpy.sum`.
    threads : int or sequence of int, optional
        Thread counts to try, each 1 to 256; by default 1 and all available cores (at least 2).
    tries : int, default 200
        Sums per thread count.
    seed : int, default 1
    dtype : {"float32", "float64"}
        Dtype of the numbers, the partial sums and the total.
    progress : callable, optional
        Called periodically with the number of sums done and the total.

    Returns
    -------
    ThreadSums
        For each thread count, every try's result and order of arrival, and the result of the same
        partial sums in a fixed order; the exact sum and error bounds.

    Raises
    ------
    FpdriftError
        If an argument is out of range, or the system refuses memory or threads.
    """
    check_callable("progress", progress)
    counts = thread_counts(threads)
    task = Task.checked("sum", n, chunks, seed, dtype)
    tries = task.check_tries(tries, len(counts))
    try:
        return _sum(task, counts, tries, progress)
    except MemoryError:
        raise task.memory_error() from None


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
    strategy = _keep_partials(in_order_of_arrival(task, chunks), task)
    results, arrivals = run_tries(strategy, task.chunks, threads, tries, report)
    values = read_only([total for total, _ in results])
    partials = np.stack([partials for _, partials in results], axis=1)
    return ThreadRun(
        threads=threads,
        exact=exact,
        values=values,
        fixed=read_only(reduce(operator.add, partials, np.zeros_like(values))),
        arrivals=arrivals,
    )


def _keep_partials(strategy: ReductionStrategy, task: Task) -> ReductionStrategy:
    """Return a strategy that also keeps the partial sums."""

    def add(state: tuple[Floats, Floats], chunk: int, part: Any) -> tuple[Floats, Floats]:
        state[1][chunk] = part
        return strategy.add(state[0], chunk, part), state[1]

    return replace(
        strategy,
        begin=lambda: (strategy.begin(), np.empty(task.chunks, task.dtype)),
        add=add,
        finish=lambda state: (strategy.finish(state[0]), state[1]),
    )


def replay(result: ThreadSums | ThreadOperation, index: int, *, threads: int | None = None) -> Any:
    """Add again in the order of arrival of one try, without threads.

    The numbers are drawn again from the result's seed, and the parts of their chunks are cached for
    the next replay. On the machine that made the result, the replay is bit-identical to the try.

    Parameters
    ----------
    result : ThreadSums or ThreadOperation
        A new result, or one read from JSON.
    index : int
        Index of the try, 0 to ``result.tries - 1``.
    threads : int, optional
        Thread count of the try; by default the highest.

    Returns
    -------
    numpy scalar or numpy.ndarray
        The sum or the operation's result, in the result's dtype.

    Raises
    ------
    FpdriftError
        If there is no such try or result, or this NumPy draws different numbers from the seed.
    """
    if not isinstance(result, ThreadSums | ThreadOperation):
        message = (
            f"result is {short_repr(result)}; pass a result of thread_sums or thread_operation"
        )
        raise FpdriftError(message)
    if not result.runs:
        message = "the result has no runs; there is no try to replay"
        raise FpdriftError(message)
    run = result.run(max(r.threads for r in result.runs) if threads is None else threads)
    order = run.arrivals[check_int("index", index, 0, len(run.arrivals) - 1)].tolist()
    if sorted(order) != list(range(result.chunks)):
        message = f"try {index} does not contain each of the {result.chunks} chunks once"
        raise FpdriftError(message)
    name = "sum" if isinstance(result, ThreadSums) else result.operation
    task = Task.checked(name, result.n, result.chunks, result.seed, result.dtype)
    of_chunks, digest = parts(task)
    if digest != result.digest:
        message = f"this NumPy {np.__version__} draws different numbers from seed {result.seed}"
        raise FpdriftError(message)
    return add_parts(task, (of_chunks[chunk] for chunk in order))[()]
