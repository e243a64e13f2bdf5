"""Operations of many elements by real threads: what arrives is added to the whole result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fpdrift.checks import check_callable
from fpdrift.reduction.rounding import Floats
from fpdrift.reduction.threads.operated import OperationRun, ThreadOperation
from fpdrift.reduction.threads.operations import Chunk, Task, added
from fpdrift.reduction.threads.tries import Progress, Way, reporter, run_tries, thread_counts
from fpdrift.results import read_only


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


def in_order_of_arrival(task: Task, chunks: list[Chunk], accumulator: str | None = None) -> Way:
    """Make parts and add them as they come, in the accumulator's dtype; round once at the end."""
    dtype = np.dtype(accumulator or task.dtype)

    def add(total: Floats, _chunk: int, part: Any) -> Floats:
        task.kind.add(total, part)
        return total

    return Way(
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
